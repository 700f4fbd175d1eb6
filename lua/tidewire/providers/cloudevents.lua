--- CloudEvents 1.0 over HTTP, binary (headers ce-…) and structured (application/cloudevents+json), and its webhook handshake
-- ("HTTP 1.1 Web Hooks for Event Delivery", 4). An id is unique within its source.
return {
  verify = { scheme = "bearer", secret = "bearer" },
  options = { bearer = true, allow_origins = false },
  type = { "headers.ce-type", "body.type" },
  id = { { join = { "headers.ce-source", "headers.ce-id" } }, { join = { "body.source", "body.id" } } },
  handshake = { { method = "OPTIONS", origins = "headers.webhook-request-origin" } },
}
