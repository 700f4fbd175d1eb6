--- Jira Cloud. Source: providers.md, row "Atlassian Jira Cloud". The id header is the one that Atlassian's webhook page names for
-- telling repetitions.
return {
  verify = { header = "X-Hub-Signature", prefix = "sha256=" },
  type = "body.webhookEvent",
  id = "headers.x-atlassian-webhook-identifier",
  remember_signature = true, -- no time is signed
  max_body = "25MiB",
}
