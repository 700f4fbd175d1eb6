--- Samples of intercom, in the shape of its documented payloads (tidewire.samples).
return {
  ["conversation.user.created"] = [[{"type":"notification_event","app_id":"a1b2c3d4","id":"notif_%ID%",]]
    .. [["topic":"conversation.user.created","created_at":%NOW%,"delivery_attempts":1,"delivery_status":"pending",]]
    .. [["data":{"type":"notification_event_data","item":{"type":"conversation","id":"1122","state":"open",]]
    .. [["source":{"subject":"Hello","author":{"type":"user","email":"ann@example.com"}}}}}]],
  ["contact.user.created"] = [[{"type":"notification_event","app_id":"a1b2c3d4","id":"notif_%ID%",]]
    .. [["topic":"contact.user.created","created_at":%NOW%,"delivery_attempts":1,"delivery_status":"pending",]]
    .. [["data":{"type":"notification_event_data","item":{"type":"contact","id":"5ba682d2","role":"user",]]
    .. [["email":"ann@example.com"}}}]],
  ping = [[{"type":"notification_event","app_id":"a1b2c3d4","id":"notif_%ID%","topic":"ping","created_at":%NOW%,]]
    .. [["delivery_attempts":1,"delivery_status":"pending","data":{"type":"notification_event_data",]]
    .. [["item":{"type":"ping","message":"Keep it small."}}}]],
}
