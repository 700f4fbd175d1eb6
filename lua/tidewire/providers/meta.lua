--- Meta: pages, Instagram, WhatsApp. Source: providers.md, row "Meta, WhatsApp"; SHA-256 only. A request is a batch of entries:
-- its type is what they are about; a condition on the fields is written ["body.entry[*].changes[*].field"]. With `each` an entry
-- has the type of its first change; its id is that of the page, so it has none.
return {
  verify = { header = "X-Hub-Signature-256", prefix = "sha256=" },
  options = { secret = true, verify_token = true },
  type = { "body.object", "body.changes[1].field", { at = "body.messaging", says = "messaging" } },
  each = "body.entry",
  remember_signature = true, -- no time is signed, and a batch has no id
  max_body = "3MiB",
  handshake = { {
    method = "GET", when = { ["query[\"hub.mode\"]"] = "subscribe" }, token = "query[\"hub.verify_token\"]",
    echo = "query[\"hub.challenge\"]",
  } },
  reply = { status = 200, body = "" },
}
