--- Telegram bots. Source: providers.md, row Telegram; tdlib/telegram-bot-api. The type is the field of the update that is there;
-- the answer is empty, because Telegram takes one with a body for a call of its API.
local updates = {
  "message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "inline_query",
  "chosen_inline_result", "message_reaction", "message_reaction_count", "poll", "poll_answer", "my_chat_member",
  "chat_member", "chat_join_request", "shipping_query", "pre_checkout_query", "business_connection", "business_message",
  "edited_business_message", "deleted_business_messages", "purchased_paid_media", "chat_boost", "removed_chat_boost",
}

local spots = {}
for i, name in ipairs(updates) do
  spots[i] = { at = "body." .. name, says = name }
end

return {
  verify = { scheme = "token", header = "X-Telegram-Bot-Api-Secret-Token" },
  type = spots,
  types = updates,
  id = "body.update_id",
  reply = { status = 200, body = "" },
}
