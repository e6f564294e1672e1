-- type: id MemberId "features/organizations/members/types.hpp"
-- type: before_id MemberId
-- type: after_id MemberId
-- type: user_id UserId
-- type: actor UserId

-- name: lock_members :one !locked
-- Who may do what is settled one change after another; the same lock as keep_an_owner's (migrations/0006).
SELECT true AS locked FROM pg_advisory_xact_lock(hashtextextended(
    'organization_members.owner ' || current_setting('app.current_organization_id')::uuid, 0));

-- name: get_member :one MemberRow !id !user_id !name !email !role !version !created_at !updated_at
SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.id = $id;

-- name: list_newest :many MemberRow
-- The one filter that no index serves is a prefix, in lower case, of the name or the address.
SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE (m.created_at, m.id) < ($before, $before_id) AND ($role?::text IS NULL OR m.role = $role?)
  AND ($prefix?::text IS NULL OR starts_with(lower(u.name), $prefix?) OR starts_with(u.email_lc, $prefix?))
ORDER BY m.created_at DESC, m.id DESC LIMIT $limit;

-- name: list_oldest :many MemberRow
SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE (m.created_at, m.id) > ($after, $after_id) AND ($role?::text IS NULL OR m.role = $role?)
  AND ($prefix?::text IS NULL OR starts_with(lower(u.name), $prefix?) OR starts_with(u.email_lc, $prefix?))
ORDER BY m.created_at, m.id LIMIT $limit;

-- name: change_role :one ChangedRow !changed !id !user_id !name !email !role !version !created_at !updated_at !actor_holds
-- `changed` false: the member is as it was, because it has that role already, or is in none of the versions or roles
-- that may be changed, or whoever asks has another role by now. Invitations that the member could not send any more
-- are taken back.
WITH actor AS (
    SELECT $actor_role?::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $actor? AND role = $actor_role?) AS holds
), was AS (
    SELECT m.id, m.role, m.version FROM organization_members m WHERE m.id = $id
), changed AS (
    UPDATE organization_members m SET role = $role, version = m.version + 1, updated_at = now()
    FROM was, actor
    WHERE m.id = was.id AND actor.holds AND was.role = ANY ($grantable::text[]) AND was.role <> $role
      AND ($any_version OR was.version = ANY ($versions::bigint[]))
    RETURNING m.organization_id, m.id, m.user_id, m.role, m.version, m.created_at, m.updated_at
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM changed c
    WHERE i.invited_by = c.user_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND i.role <> ALL ($still_grants::text[])
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT c.organization_id, 'member.role_changed',
           jsonb_build_object('memberId', c.id, 'userId', c.user_id, 'role', c.role, 'was', was.role) FROM changed c, was
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.organization_id, 'member.role_changed', 'member', c.id::text,
           jsonb_build_object('userId', c.user_id, 'role', was.role), jsonb_build_object('userId', c.user_id, 'role', c.role)
    FROM changed c, was
)
SELECT true AS changed, c.id, c.user_id, u.name, u.email, c.role, c.version, c.created_at, c.updated_at,
       true AS actor_holds
FROM changed c JOIN users u ON u.id = c.user_id
UNION ALL
SELECT false, m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at, actor.holds
FROM organization_members m JOIN users u ON u.id = m.user_id, actor
WHERE m.id = $id AND NOT EXISTS (SELECT FROM changed);

-- name: remove_member :one !removed !user_id !role !version !actor_holds
-- `removed` false: as for change_role. What they invited is taken back; their own keys go with the membership.
WITH actor AS (
    SELECT $actor_role?::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $actor? AND role = $actor_role?) AS holds
), was AS (
    SELECT m.id, m.user_id, m.role, m.version, u.email FROM organization_members m JOIN users u ON u.id = m.user_id
    WHERE m.id = $id
), gone AS (
    DELETE FROM organization_members m USING was, actor
    WHERE m.id = was.id AND actor.holds AND was.role = ANY ($grantable::text[])
      AND ($any_version OR was.version = ANY ($versions::bigint[]))
    RETURNING m.organization_id, m.id, m.user_id, m.role
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM gone
    WHERE i.invited_by = gone.user_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'member.removed', jsonb_build_object('memberId', id, 'userId', user_id) FROM gone
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT gone.organization_id, 'member.removed', 'member', gone.id::text,
           jsonb_build_object('userId', gone.user_id, 'email', was.email, 'role', gone.role) FROM gone, was
)
SELECT EXISTS (SELECT FROM gone) AS removed, was.user_id, was.role, was.version, actor.holds AS actor_holds
FROM was, actor;

-- name: leave :one !id
WITH gone AS (
    DELETE FROM organization_members WHERE user_id = $user_id RETURNING organization_id, id, user_id, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'member.left', jsonb_build_object('memberId', id, 'userId', user_id) FROM gone
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT organization_id, 'member.left', 'member', id::text, jsonb_build_object('userId', user_id, 'role', role)
    FROM gone
)
SELECT id FROM gone;

-- name: transfer_ownership :one !id !user_id !name !email !role !version !created_at !updated_at
-- From an owner to another member; who gives it away stays as ADMIN. Nothing where they are none (any more), or the
-- other one is not there.
WITH giver AS (
    SELECT id, user_id FROM organization_members WHERE user_id = $actor AND role = 'OWNER'
), target AS (
    SELECT m.id, m.role FROM organization_members m, giver WHERE m.id = $id AND m.id <> giver.id
), raised AS (
    UPDATE organization_members m SET role = 'OWNER', version = m.version + 1, updated_at = now()
    FROM target WHERE m.id = target.id
    RETURNING m.organization_id, m.id, m.user_id, m.role, m.version, m.created_at, m.updated_at
), lowered AS (
    UPDATE organization_members m SET role = 'ADMIN', version = m.version + 1, updated_at = now()
    FROM giver, raised WHERE m.id = giver.id
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM giver, raised
    WHERE i.invited_by = giver.user_id AND i.role = 'OWNER' AND i.accepted_at IS NULL AND i.revoked_at IS NULL
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT r.organization_id, 'organization.ownership_transferred',
           jsonb_build_object('from', giver.user_id, 'to', r.user_id) FROM raised r, giver
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT r.organization_id, 'organization.ownership_transferred', 'organization', r.organization_id::text,
           jsonb_build_object('owner', giver.user_id), jsonb_build_object('owner', r.user_id) FROM raised r, giver
)
SELECT r.id, r.user_id, u.name, u.email, r.role, r.version, r.created_at, r.updated_at
FROM raised r JOIN users u ON u.id = r.user_id;
