--- Intercom. Source: providers.md, row Intercom; it has SHA-1 only.
return {
  verify = { header = "X-Hub-Signature", prefix = "sha1=", algorithm = "sha1" },
  type = "body.topic",
  id = "body.id",
  remember_signature = true, -- no time is signed
  reply = { status = 200, body = "" },
}
