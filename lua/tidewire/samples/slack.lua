--- Samples of slack, in the shape of its documented payloads (tidewire.samples).
return {
  message = [[{"token":"unused","team_id":"T061EG9R6","api_app_id":"A0PNCHHK2","type":"event_callback",]]
    .. [["event_id":"Ev%ID%","event_time":%NOW%,"event":{"type":"message","channel":"C2147483705","user":"U2147483697",]]
    .. [["text":"Hello","ts":"1763700000.000200"}}]],
  app_mention = [[{"token":"unused","team_id":"T061EG9R6","api_app_id":"A0PNCHHK2","type":"event_callback",]]
    .. [["event_id":"Ev%ID%","event_time":%NOW%,"event":{"type":"app_mention","channel":"C2147483705",]]
    .. [["user":"U2147483697","text":"<@U0LAN0Z89> hello","ts":"1763700000.000300"}}]],
  reaction_added = [[{"token":"unused","team_id":"T061EG9R6","api_app_id":"A0PNCHHK2","type":"event_callback",]]
    .. [["event_id":"Ev%ID%","event_time":%NOW%,"event":{"type":"reaction_added","user":"U2147483697",]]
    .. [["reaction":"wave","item":{"type":"message","channel":"C2147483705","ts":"1763700000.000200"}}}]],
  ["/deploy"] = {
    content_type = "application/x-www-form-urlencoded",
    body = [[token=unused&team_id=T061EG9R6&channel_id=C2147483705&user_id=U2147483697&user_name=ann&command=%2Fdeploy&]]
      .. [[text=staging&response_url=https%3A%2F%2Fhooks.example.com%2Fcommands%2F1&trigger_id=%ID%]],
  },
  block_actions = {
    content_type = "application/x-www-form-urlencoded",
    body = [[payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22U2147483697%22%7D%2C%22actions]]
      .. [[%22%3A%5B%7B%22action_id%22%3A%22approve%22%2C%22value%22%3A%22yes%22%7D%5D%2C%22trigger_id%22%3A%22%ID%%22%7D]],
  },
}
