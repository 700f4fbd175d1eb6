--- CloudEvents 1.0 over HTTP: binary (headers ce-…), structured (application/cloudevents+json) or a batch of these
-- (application/cloudevents-batch+json, with `each = true`), and its webhook handshake ("HTTP 1.1 Web Hooks for Event Delivery",
-- 4). Which it is the Content-Type says (HTTP protocol binding, 3). An id is unique within its source.
local envelope = "application/cloudevents"

return {
  verify = { scheme = "bearer", secret = "bearer" },
  options = { bearer = true, allow_origins = false },
  type = { { at = "headers.ce-type", not_of = envelope }, { at = "body.type", of = envelope } },
  id = {
    { join = { "headers.ce-source", "headers.ce-id" }, not_of = envelope },
    { join = { "body.source", "body.id" }, of = envelope },
  },
  time = { { at = "headers.ce-time", not_of = envelope }, { at = "body.time", of = envelope } },
  each = { at = "body", of = "application/cloudevents-batch" },
  handshake = { { method = "OPTIONS", origins = "headers.webhook-request-origin" } },
}
