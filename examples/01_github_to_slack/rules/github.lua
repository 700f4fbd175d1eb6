local slack = target "slack-dev" {
  url  = secret "SLACK_DEV_WEBHOOK_URL",
  rate = "1/s",
}

route "/github" {
  from = provider.github { secret = secret "GITHUB_WEBHOOK_SECRET" },
  when = { type = "push", ["body.ref"] = "refs/heads/main" },

  handle = function(event)
    local push = event.body
    local lines = {}
    for _, commit in ipairs(push.commits) do
      lines[#lines + 1] = "• " .. text.first_line(commit.message)
    end
    send(slack, { json = {
      text = text.fill("*{repo}*: {n} new on main\n{list}", {
        repo = push.repository.full_name,
        n    = text.plural(#lines, "commit"),
        list = table.concat(lines, "\n"),
      }),
    } })
  end,
}
