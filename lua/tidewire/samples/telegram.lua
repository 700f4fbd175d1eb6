--- Samples of telegram, in the shape of its documented payloads (tidewire.samples).
return {
  message = [[{"update_id":%NUMBER%,"message":{"message_id":1365,"date":%NOW%,"chat":{"id":1111,"type":"private",]]
    .. [["first_name":"Ann"},"from":{"id":1111,"is_bot":false,"first_name":"Ann"},"text":"Hello"}}]],
  edited_message = [[{"update_id":%NUMBER%,"edited_message":{"message_id":1365,"date":%NOW%,"edit_date":%NOW%,]]
    .. [["chat":{"id":1111,"type":"private","first_name":"Ann"},"from":{"id":1111,"is_bot":false,"first_name":"Ann"},]]
    .. [["text":"Hello!"}}]],
  callback_query = [[{"update_id":%NUMBER%,"callback_query":{"id":"4382bfdwdsb323b2d9","from":{"id":1111,"is_bot":false,]]
    .. [["first_name":"Ann"},"data":"approve","inline_message_id":"1234csdbsk4839"}}]],
  inline_query = [[{"update_id":%NUMBER%,"inline_query":{"id":"134567890097","from":{"id":1111,"is_bot":false,]]
    .. [["first_name":"Ann"},"query":"hello","offset":""}}]],
}
