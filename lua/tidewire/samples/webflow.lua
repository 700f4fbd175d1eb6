--- Samples of webflow, in the shape of its documented payloads (tidewire.samples).
return {
  form_submission = [[{"triggerType":"form_submission","payload":{"name":"Contact","siteId":"65427cf400e02b306eaa049c",]]
    .. [["data":{"Name":"Ann","Email":"ann@example.com"},"submittedAt":"%TIME%","id":"%HEX%"}}]],
  site_publish = [[{"triggerType":"site_publish","payload":{"id":"%HEX%","siteId":"65427cf400e02b306eaa049c",]]
    .. [["publishedOn":"%TIME%","domains":["www.example.com"]}}]],
  collection_item_created = [[{"triggerType":"collection_item_created","payload":{"id":"%HEX%",]]
    .. [["siteId":"65427cf400e02b306eaa049c","fieldData":{"name":"Hello","slug":"hello"}}}]],
}
