--- Bitbucket Cloud and Data Center. Source: providers.md, both rows. Header names of the ids rest on Atlassian's "Event payloads"
-- (Cloud: X-Request-UUID, Data Center: X-Request-Id) and on public receivers.
return {
  verify = { header = "X-Hub-Signature", prefix = "sha256=" },
  type = "headers.x-event-key",
  id = { "headers.x-request-uuid", "headers.x-request-id" },
  -- nothing of the head is signed, so a replay with a new request id shows only by its signature
  remember_signature = true,
  max_body = "5MiB",
}
