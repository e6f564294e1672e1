-- type: id InvitationId "features/organizations/invitations/types.hpp"
-- type: before_id InvitationId
-- type: after_id InvitationId
-- type: user_id UserId
-- type: organization_id OrganizationId "core/id.hpp"
-- type: actor UserId
-- type: invited_by UserId

-- name: invite :one InvitedRow !id !email !role !created_at !expires_at !sent_count !version ?invited_by ?sent_at ?accepted_at ?revoked_at !is_member !is_full !actor_holds !actor_verified !made
-- One that expired gives way to the new one. `made` false: the person is a member, too many invitations are open, or
-- whoever asks has another role by now
-- or has not shown that their own address is theirs.
WITH actor AS (
    SELECT $actor_role?::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $actor? AND role = $actor_role?) AS holds,
        $actor?::uuid IS NULL OR EXISTS (SELECT FROM users WHERE id = $actor? AND email_verified) AS verified
), facts AS (
    SELECT EXISTS (SELECT FROM organization_members m JOIN users u ON u.id = m.user_id
                   WHERE u.email_lc = lower($email)) AS is_member,
           (SELECT count(*) FROM (SELECT FROM invitations WHERE accepted_at IS NULL AND revoked_at IS NULL
                                    AND expires_at > now() LIMIT $most_open) o) >= $most_open AS is_full
), expired AS (
    UPDATE invitations SET revoked_at = now(), version = version + 1
    WHERE email_lc = lower($email) AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= now()
    RETURNING id
), made AS (
    INSERT INTO invitations (organization_id, id, email, role, token_hash, invited_by, expires_at, sent_at, sent_count)
    SELECT current_setting('app.current_organization_id')::uuid, $id, $email, $role, $token_hash, $actor?, $expires_at,
           now(), 1
    FROM facts, actor, (SELECT count(*) FROM expired) first
    WHERE NOT facts.is_member AND NOT facts.is_full AND actor.holds AND actor.verified
    RETURNING organization_id, id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, version
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT made.organization_id, 'mail.invitation',
           jsonb_build_object('invitationId', made.id, 'to', made.email, 'role', made.role, 'token', $token::text,
                              'expiresAt', api_time(made.expires_at), 'organizationName', o.name, 'invitedBy', u.name)
    FROM made JOIN organizations o ON o.id = made.organization_id LEFT JOIN users u ON u.id = made.invited_by
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.created', 'invitation', id::text,
           jsonb_build_object('email', email, 'role', role, 'expiresAt', api_time(expires_at)) FROM made
)
SELECT coalesce(made.id, $id) AS id, coalesce(made.email, $email) AS email, coalesce(made.role, $role) AS role,
       made.invited_by, coalesce(made.created_at, now()) AS created_at, coalesce(made.expires_at, now()) AS expires_at,
       made.sent_at, coalesce(made.sent_count, 0) AS sent_count, NULL::timestamptz AS accepted_at,
       NULL::timestamptz AS revoked_at, coalesce(made.version, 0) AS version, facts.is_member, facts.is_full,
       actor.holds AS actor_holds, actor.verified AS actor_verified, made.id IS NOT NULL AS made
FROM facts CROSS JOIN actor LEFT JOIN made ON true;

-- name: get_invitation :one InvitationRow
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations WHERE id = $id;

-- name: lock_invitation :one InvitationRow
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations WHERE id = $id FOR NO KEY UPDATE;

-- name: list_newest :many InvitationRow
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations
WHERE (created_at, id) < ($before, $before_id)
  AND ($state?::text IS NULL
       OR $state? = CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
                         WHEN expires_at <= now() THEN 'expired' ELSE 'open' END)
ORDER BY created_at DESC, id DESC LIMIT $limit;

-- name: list_oldest :many InvitationRow
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations
WHERE (created_at, id) > ($after, $after_id)
  AND ($state?::text IS NULL
       OR $state? = CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
                         WHEN expires_at <= now() THEN 'expired' ELSE 'open' END)
ORDER BY created_at, id LIMIT $limit;

-- name: resend :one InvitationRow !id !email !role !created_at !expires_at !sent_count !version ?invited_by ?sent_at ?accepted_at ?revoked_at
-- With a new token; the one before it is worth nothing any more. Nothing where it is not open to that.
WITH sent AS (
    UPDATE invitations SET token_hash = $token_hash, expires_at = $expires_at, sent_at = now(),
                           sent_count = sent_count + 1, version = version + 1
    WHERE id = $id AND accepted_at IS NULL AND revoked_at IS NULL AND sent_count < $most_sent
    RETURNING organization_id, id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at,
              revoked_at, version
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT sent.organization_id, 'mail.invitation',
           jsonb_build_object('invitationId', sent.id, 'to', sent.email, 'role', sent.role, 'token', $token::text,
                              'expiresAt', api_time(sent.expires_at), 'organizationName', o.name, 'invitedBy', u.name)
    FROM sent JOIN organizations o ON o.id = sent.organization_id LEFT JOIN users u ON u.id = sent.invited_by
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.sent_again', 'invitation', id::text,
           jsonb_build_object('email', email, 'role', role, 'expiresAt', api_time(expires_at)) FROM sent
)
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM sent;

-- name: revoke :run
WITH revoked AS (
    UPDATE invitations SET revoked_at = now(), version = version + 1
    WHERE id = $id AND accepted_at IS NULL AND revoked_at IS NULL
    RETURNING organization_id, id, email, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'invitation.revoked', jsonb_build_object('invitationId', id) FROM revoked
)
INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
SELECT organization_id, 'invitation.revoked', 'invitation', id::text, jsonb_build_object('email', email, 'role', role)
FROM revoked;

-- name: find_by_token :one system !id !email_lc !is_expired ?accepted_at ?revoked_at ?deleted_at
SELECT i.id, i.email_lc, i.expires_at <= now() AS is_expired, i.accepted_at, i.revoked_at, o.deleted_at
FROM invitations i JOIN organizations o ON o.id = i.organization_id WHERE i.token_hash = $token_hash;

-- name: find_person :one system
SELECT email_lc, email_verified FROM users WHERE id = $user_id;

-- name: accept :one system !organization_id !name !slug !role
-- Nothing where somebody else was quicker. Who is a member already stays what they are.
WITH accepted AS (
    UPDATE invitations SET accepted_at = now(), accepted_by = $user_id, version = version + 1
    WHERE token_hash = $token_hash AND email_lc = $email_lc
      AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
    RETURNING organization_id, id, role
), joined AS (
    INSERT INTO organization_members (organization_id, user_id, role)
    SELECT organization_id, $user_id, role FROM accepted
    ON CONFLICT (organization_id, user_id) DO NOTHING RETURNING organization_id, id, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT a.organization_id, 'member.joined',
           jsonb_build_object('memberId', j.id, 'userId', $user_id::uuid, 'role', j.role, 'invitationId', a.id)
    FROM accepted a JOIN joined j ON j.organization_id = a.organization_id
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.accepted', 'invitation', id::text,
           jsonb_build_object('userId', $user_id::uuid, 'role', role) FROM accepted
)
SELECT a.organization_id, o.name, o.slug, coalesce(j.role, m.role) AS role
FROM accepted a JOIN organizations o ON o.id = a.organization_id
LEFT JOIN joined j ON j.organization_id = a.organization_id
LEFT JOIN organization_members m ON m.organization_id = a.organization_id AND m.user_id = $user_id;
