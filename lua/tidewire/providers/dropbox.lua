--- Dropbox. Source: providers.md, row Dropbox; dropbox/mdwebhook. A body only says whose files changed: it repeats byte for byte
-- for different events, so there is neither an id nor a remembered signature.
return {
  verify = { header = "X-Dropbox-Signature" },
  handshake = { { method = "GET", echo = "query.challenge" } },
  reply = { status = 200, body = "" },
}
