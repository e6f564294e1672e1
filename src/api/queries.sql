-- Kept answers of requests that carried an Idempotency-Key; see idempotency.hpp. Rows that have expired do not count.

-- name: claim_key :one !claimed
-- A row comes back when the key is ours now. Waits for a transaction that has claimed it and is not over.
INSERT INTO idempotency_keys AS kept (organization_id, key, fingerprint)
VALUES (current_setting('app.current_organization_id')::uuid, $key, $fingerprint)
ON CONFLICT (organization_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL,
    created_at = now(), expires_at = now() + interval '24 hours'
WHERE kept.expires_at <= now()
RETURNING true AS claimed;

-- name: find_answer :one
SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE key = $key;

-- name: keep_answer :run
UPDATE idempotency_keys SET status = $status, headers = $headers, body = $body WHERE key = $key;

-- name: sweep_keys :run system
DELETE FROM idempotency_keys WHERE expires_at < now();
