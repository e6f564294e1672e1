-- type: user_id UserId "core/id.hpp"
-- type: users.id UserId
-- type: organization_id OrganizationId
-- type: organizations.id OrganizationId
-- type: current_organization_id OrganizationId
-- type: session_id SessionId
-- type: sessions.id SessionId
-- type: except SessionId
-- type: before_id SessionId

-- name: find_credentials :one system !knows_address
-- Whether they ever signed in from there: such an address is not counted with the strangers.
SELECT id, email, name, password_hash, email_verified, mfa_enabled, created_at,
       EXISTS (SELECT FROM sessions s WHERE s.user_id = users.id AND s.address = $address) AS knows_address
FROM users WHERE email_lc = $email_lc;

-- name: find_user :one system
SELECT id, email, name, password_hash, email_verified, mfa_enabled, created_at FROM users WHERE id = $user_id;

-- name: list_memberships :many MembershipRow system
SELECT o.id, o.name, o.slug, m.role FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $user_id ORDER BY o.name, o.id LIMIT 1000;

-- name: find_membership :one MembershipRow system
SELECT o.id, o.name, o.slug, m.role FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $user_id AND m.organization_id = $organization_id;

-- name: create_user :one system
-- Nothing when the address is taken.
INSERT INTO users (id, email, name, password_hash) VALUES ($user_id, $email, $name, $password_hash)
ON CONFLICT (email_lc) DO NOTHING RETURNING created_at;

-- name: found_organization :one system
-- Nothing when the slug is taken.
INSERT INTO organizations (id, name, slug) VALUES ($organization_id, $name, $slug)
ON CONFLICT (slug) DO NOTHING RETURNING created_at;

-- name: join_as_owner :run system
INSERT INTO organization_members (organization_id, user_id, role) VALUES ($organization_id, $user_id, 'OWNER');

-- name: subscribe_to_free :run system
INSERT INTO subscriptions (organization_id, tier) VALUES ($organization_id, 'FREE');

-- name: begin_usage :run system
INSERT INTO usage (organization_id, period) VALUES ($organization_id, date_trunc('month', now(), 'UTC'));

-- name: tell :run system
-- An event; one about a person alone lies under their own id.
INSERT INTO outbox (organization_id, topic, payload) VALUES ($organization_id, $topic, $payload);

-- name: create_session :run system
INSERT INTO sessions (id, user_id, current_organization_id, refresh_hash, expires_at, user_agent, address)
VALUES ($session_id, $user_id, $organization_id?, $refresh_hash, $expires_at, $user_agent?, $address);

-- name: find_session :one system ?organization_id !is_member
SELECT s.user_id, s.current_organization_id AS organization_id, s.refresh_hash, s.previous_refresh_hash, s.rotated_at,
       s.created_at, s.expires_at, s.revoked_at,
       EXISTS (SELECT FROM organization_members m
               WHERE m.user_id = s.user_id AND m.organization_id = s.current_organization_id) AS is_member
FROM sessions s WHERE s.id = $session_id;

-- name: rotate_session :run system
UPDATE sessions SET refresh_hash = $refresh_hash, previous_refresh_hash = refresh_hash, rotated_at = now(),
                    last_used_at = now(), expires_at = $expires_at, address = $address
WHERE id = $session_id AND refresh_hash = $used_hash AND revoked_at IS NULL AND expires_at > now();

-- name: enter_organization :run system
UPDATE sessions SET current_organization_id = $organization_id, last_used_at = now()
WHERE id = $session_id AND user_id = $user_id AND revoked_at IS NULL AND expires_at > now();

-- name: revoke_session :run system
UPDATE sessions SET revoked_at = now(), revoked_reason = $reason
WHERE id = $session_id AND user_id = $user_id AND revoked_at IS NULL;

-- name: revoke_sessions :many system
UPDATE sessions SET revoked_at = now(), revoked_reason = $reason
WHERE user_id = $user_id AND revoked_at IS NULL AND expires_at > now() AND ($except?::uuid IS NULL OR id <> $except?)
RETURNING id;

-- name: end_oldest_sessions :run system
-- Nobody has more than so many.
UPDATE sessions SET revoked_at = now(), revoked_reason = 'too many'
WHERE id IN (SELECT id FROM sessions WHERE user_id = $user_id AND revoked_at IS NULL AND expires_at > now()
             ORDER BY last_used_at DESC, id DESC OFFSET $most);

-- name: list_sessions :many system
SELECT id, user_agent, address, created_at, last_used_at, expires_at FROM sessions
WHERE user_id = $user_id AND revoked_at IS NULL AND expires_at > now() AND (created_at, id) < ($before, $before_id)
ORDER BY created_at DESC, id DESC LIMIT $limit;

-- name: change_password :run system
UPDATE users SET password_hash = $password_hash, updated_at = now() WHERE id = $user_id;

-- name: refresh_password_hash :run system
-- The same password with today's parameters, unless it was changed meanwhile.
UPDATE users SET password_hash = $password_hash WHERE id = $user_id AND password_hash = $old_hash;

-- name: verify_email :run system
UPDATE users SET email_verified = true, updated_at = now() WHERE id = $user_id AND NOT email_verified;

-- name: create_user_token :run system
-- The one before it is worth nothing any more.
WITH older AS (
    UPDATE user_tokens SET used_at = now() WHERE user_id = $user_id AND purpose = $purpose AND used_at IS NULL
)
INSERT INTO user_tokens (user_id, purpose, token_hash, expires_at) VALUES ($user_id, $purpose, $token_hash, $expires_at);

-- name: find_user_token :one system
SELECT user_id FROM user_tokens
WHERE token_hash = $token_hash AND purpose = $purpose AND used_at IS NULL AND expires_at > now();

-- name: use_user_token :one system
UPDATE user_tokens SET used_at = now()
WHERE token_hash = $token_hash AND purpose = $purpose AND used_at IS NULL AND expires_at > now() RETURNING user_id;

-- name: cancel_user_tokens :run system
UPDATE user_tokens SET used_at = now() WHERE user_id = $user_id AND purpose = $purpose AND used_at IS NULL;

-- name: record :run system
-- What a person did with their account, told to one of their organizations or, without one, to each.
INSERT INTO audit_log (organization_id, action, target_kind, target_id)
SELECT m.organization_id, $action, $target_kind, $target_id FROM organization_members m
WHERE m.user_id = $user_id AND ($organization_id?::uuid IS NULL OR m.organization_id = $organization_id?)
ORDER BY m.organization_id;

-- name: record_beginning :run system
INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
VALUES ($organization_id, 'organization.created', 'organization', ($organization_id::uuid)::text,
        jsonb_build_object('name', $name::text, 'slug', $slug::text, 'owner', $owner::text));

-- name: take_letters :many system !topic !payload
-- Each is given out once, oldest first; what stays behind has no token.
WITH waiting AS (
    SELECT organization_id, id, topic, payload, created_at FROM outbox
    WHERE relayed_at IS NULL AND topic ^@ 'mail.' ORDER BY created_at, id LIMIT 100 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE outbox SET relayed_at = now(), payload = outbox.payload - 'token' FROM waiting
    WHERE outbox.organization_id = waiting.organization_id AND outbox.id = waiting.id
    RETURNING outbox.id
)
SELECT waiting.topic, waiting.payload FROM waiting JOIN taken ON taken.id = waiting.id
ORDER BY waiting.created_at, waiting.id;

-- name: sweep_sessions :run system
-- A month after they ended, when nobody asks what became of them any more.
DELETE FROM sessions WHERE expires_at < now() - interval '30 days' OR revoked_at < now() - interval '30 days';

-- name: sweep_user_tokens :run system
DELETE FROM user_tokens WHERE expires_at < now() - interval '1 day';
