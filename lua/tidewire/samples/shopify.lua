--- Samples of shopify, in the shape of its documented payloads (tidewire.samples).
return {
  ["orders/create"] = [[{"id":%NUMBER%,"name":"#1001","email":"ann@example.com","created_at":"2026-11-20T10:14:02+01:00",]]
    .. [["currency":"EUR","total_price":"19.90","financial_status":"paid","cancelled_at":null,]]
    .. [["customer":{"id":115310627314723954,"email":"ann@example.com"},"line_items":[{"id":866550311766439020,]]
    .. [["sku":"HELLO-1","title":"Hello","quantity":1,"price":"19.90"}]}]],
  ["orders/updated"] = [[{"id":%NUMBER%,"name":"#1001","email":"ann@example.com",]]
    .. [["created_at":"2026-11-20T10:14:02+01:00","currency":"EUR","total_price":"19.90","financial_status":"paid",]]
    .. [["cancelled_at":null,"customer":{"id":115310627314723954,"email":"ann@example.com"},]]
    .. [["line_items":[{"id":866550311766439020,"sku":"HELLO-1","title":"Hello","quantity":1,"price":"19.90"}]}]],
  ["orders/cancelled"] = [[{"id":%NUMBER%,"name":"#1001","email":"ann@example.com",]]
    .. [["created_at":"2026-11-20T10:14:02+01:00","currency":"EUR","total_price":"19.90","financial_status":"refunded",]]
    .. [["cancelled_at":"2026-11-20T11:00:00+01:00","customer":{"id":115310627314723954,"email":"ann@example.com"},]]
    .. [["line_items":[{"id":866550311766439020,"sku":"HELLO-1","title":"Hello","quantity":1,"price":"19.90"}]}]],
  ["customers/create"] = [[{"id":%NUMBER%,"email":"ann@example.com","first_name":"Ann","last_name":"Example",]]
    .. [["orders_count":0,"tags":""}]],
}
