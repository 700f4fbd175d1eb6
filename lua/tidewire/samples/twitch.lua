--- Samples of twitch, in the shape of its documented payloads (tidewire.samples).
return {
  ["stream.online"] = {
    headers = { ["Twitch-Eventsub-Message-Type"] = "notification" },
    body = [[{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"stream.online","version":"1",]]
      .. [["status":"enabled","cost":0,"condition":{"broadcaster_user_id":"1337"},"transport":{"method":"webhook",]]
      .. [["callback":"https://hooks.example.com/twitch"},"created_at":"2026-11-20T10:11:12.123Z"},]]
      .. [["event":{"id":"9001","broadcaster_user_id":"1337","broadcaster_user_login":"ann","type":"live",]]
      .. [["started_at":"2026-11-20T10:11:12Z"}}]],
  },
  ["channel.follow"] = {
    headers = { ["Twitch-Eventsub-Message-Type"] = "notification" },
    body = [[{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow","version":"1",]]
      .. [["status":"enabled","cost":0,"condition":{"broadcaster_user_id":"1337"},"transport":{"method":"webhook",]]
      .. [["callback":"https://hooks.example.com/twitch"},"created_at":"2026-11-20T10:11:12.123Z"},]]
      .. [["event":{"user_id":"1234","user_login":"ben","broadcaster_user_id":"1337",]]
      .. [["followed_at":"2026-11-20T10:11:12Z"}}]],
  },
  revocation = {
    headers = { ["Twitch-Eventsub-Message-Type"] = "revocation" },
    body = [[{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow","version":"1",]]
      .. [["status":"authorization_revoked","cost":0,"condition":{"broadcaster_user_id":"1337"},]]
      .. [["transport":{"method":"webhook","callback":"https://hooks.example.com/twitch"},]]
      .. [["created_at":"2026-11-20T10:11:12.123Z"}}]],
  },
}
