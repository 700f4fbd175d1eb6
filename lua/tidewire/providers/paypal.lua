--- PayPal. Source: providers.md, row PayPal; PayPal-Python-SDK notifications.py. The body is signed through its CRC-32 alone, so
-- the id, which is signed too, is what tells one transmission from another. The algorithm is not the one that a header names.
return {
  verify = function(options)
    return {
      scheme = "rsa", header = "PAYPAL-TRANSMISSION-SIG", encoding = "base64",
      signed = "{id}|{timestamp}|" .. (options.webhook_id or "") .. "|{crc32}",
      id = "headers.paypal-transmission-id", timestamp = "headers.paypal-transmission-time", timestamp_format = "rfc3339",
      certificate = {
        url = "headers.paypal-cert-url", hosts = { "api.paypal.com", "api.sandbox.paypal.com" }, name_end = ".paypal.com",
      },
    }
  end,
  options = { webhook_id = true, max_age = false },
  type = "body.event_type",
  id = "headers.paypal-transmission-id",
  reply = { status = 200, body = "" },
}
