--- Samples of customerio, in the shape of its documented payloads (tidewire.samples).
return {
  ["email.delivered"] = [[{"event_id":"%ID%","object_type":"email","metric":"delivered","timestamp":%NOW%,]]
    .. [["data":{"customer_id":"1","identifiers":{"email":"ann@example.com"},"delivery_id":"%HEX%",]]
    .. [["recipient":"ann@example.com","subject":"Hello"}}]],
  ["email.opened"] = [[{"event_id":"%ID%","object_type":"email","metric":"opened","timestamp":%NOW%,]]
    .. [["data":{"customer_id":"1","identifiers":{"email":"ann@example.com"},"delivery_id":"%HEX%",]]
    .. [["recipient":"ann@example.com"}}]],
  ["customer.unsubscribed"] = [[{"event_id":"%ID%","object_type":"customer","metric":"unsubscribed","timestamp":%NOW%,]]
    .. [["data":{"customer_id":"1","identifiers":{"email":"ann@example.com"},"delivery_id":"%HEX%"}}]],
}
