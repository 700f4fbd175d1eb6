--- Samples of cloudevents, in the shape of its documented payloads (tidewire.samples).
return {
  ["com.example.order.created"] = {
    headers = { ["Ce-Specversion"] = "1.0", ["Ce-Id"] = "%ID%", ["Ce-Source"] = "https://shop.example.com/orders" },
    body = [[{"order":1001,"total":"19.90","currency":"EUR"}]],
  },
  ["com.example.order.shipped"] = {
    content_type = "application/cloudevents+json",
    headers = false,
    body = [[{"specversion":"1.0","id":"%ID%","source":"https://shop.example.com/orders",]]
      .. [["type":"com.example.order.shipped","time":"%TIME%","datacontenttype":"application/json",]]
      .. [["data":{"order":1001,"carrier":"example"}}]],
  },
  ["com.example.note.added"] = {
    content_type = "text/plain",
    headers = { ["Ce-Specversion"] = "1.0", ["Ce-Id"] = "%ID%", ["Ce-Source"] = "https://shop.example.com/notes" },
    body = [[Left at the door.]],
  },
}
