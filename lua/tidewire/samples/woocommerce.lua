--- Samples of woocommerce, in the shape of its documented payloads (tidewire.samples).
return {
  ["order.created"] = [[{"id":%NUMBER%,"number":"727","status":"pending","currency":"EUR","total":"19.90",]]
    .. [["date_created":"2026-11-20T10:14:02","billing":{"first_name":"Ann","email":"ann@example.com"},]]
    .. [["line_items":[{"id":315,"name":"Hello","quantity":1,"sku":"HELLO-1","total":"19.90"}]}]],
  ["order.updated"] = [[{"id":%NUMBER%,"number":"727","status":"processing","currency":"EUR","total":"19.90",]]
    .. [["date_created":"2026-11-20T10:14:02","billing":{"first_name":"Ann","email":"ann@example.com"},]]
    .. [["line_items":[{"id":315,"name":"Hello","quantity":1,"sku":"HELLO-1","total":"19.90"}]}]],
  ["product.updated"] = [[{"id":%NUMBER%,"name":"Hello","slug":"hello","status":"publish","price":"19.90",]]
    .. [["sku":"HELLO-1","stock_quantity":12}]],
}
