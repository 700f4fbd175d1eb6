--- Dropbox. Source: providers.md, row Dropbox; dropbox/mdwebhook. A body only says whose files changed: it repeats byte for byte
-- for different events, so there is neither an id nor a remembered signature. With `each` an event is the id of an account.
return {
  verify = { header = "X-Dropbox-Signature" },
  each = "body.list_folder.accounts",
  handshake = { { method = "GET", echo = "query.challenge" } },
  reply = { status = 200, body = "" },
}
