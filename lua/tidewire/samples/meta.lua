--- Samples of meta, in the shape of its documented payloads (tidewire.samples).
return {
  page = [[{"object":"page","entry":[{"id":"682498171943165","time":%NOW_MS%,"changes":[{"field":"feed",]]
    .. [["value":{"item":"status","verb":"add","post_id":"682498171943165_%NUMBER%","message":"Hello"}}]}]}]],
  whatsapp_business_account = [[{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",]]
    .. [["changes":[{"field":"messages","value":{"messaging_product":"whatsapp",]]
    .. [["metadata":{"display_phone_number":"15550000001","phone_number_id":"106540352242922"},]]
    .. [["contacts":[{"profile":{"name":"Ann"},"wa_id":"15550000002"}],"messages":[{"from":"15550000002",]]
    .. [["id":"wamid.%HEX%","timestamp":"%NOW%","type":"text","text":{"body":"Hello"}}]}}]}]}]],
  instagram = [[{"object":"instagram","entry":[{"id":"17841405309211844","time":%NOW_MS%,"changes":[{"field":"comments",]]
    .. [["value":{"id":"%NUMBER%","from":{"id":"232323232","username":"ann"},"text":"Hello"}}]}]}]],
}
