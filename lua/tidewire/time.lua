--- time.*: moments are numbers, seconds since 1970 with a fraction; texts are RFC 3339 in UTC.
-- Days from and to dates by the well-known arithmetic of the proleptic Gregorian calendar (400-year eras).
-- @module tidewire.time
local clock = require "tidewire.clock"
local units = require "tidewire.units"
local views = require "tidewire.views"

local M = { now = clock.now }

local floor, type_of = math.floor, views.words.type
local DAY = 86400
local LEAST, MOST = -62167219200, 253402300800 -- the years that have four digits: 0 to 9999

local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local month_names = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December" }
local days = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" } -- 1970-01-01 was a Thursday
local day_names = { "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday" }

local function days_of(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  return era * 146097 + year_of_era * 365 + floor(year_of_era / 4) - floor(year_of_era / 100) + day_of_year - 719468
end

local function date_of(number)
  number = number + 719468
  local era = floor(number / 146097)
  local day_of_era = number - era * 146097
  local leaps = floor(day_of_era / 1460) - floor(day_of_era / 36524) + floor(day_of_era / 146096)
  local year_of_era = floor((day_of_era - leaps) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100))
  local part = floor((5 * day_of_year + 2) / 153)
  local month = part + (part < 10 and 3 or -9)
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month, day_of_year - floor((153 * part + 2) / 5) + 1
end

local function moment(value, word)
  if type(value) ~= "number" then
    error(("time.%s wants a time: seconds since 1970 as a number, got %s"):format(word, type_of(value)), 3)
  elseif not (value >= LEAST and value < MOST) then
    error(("time.%s: %s is outside of the years 0 to 9999: write seconds since 1970, not milliseconds"):format(word,
      tostring(value)), 3)
  end
  return value
end

local function parts_of(value)
  value = floor(value)
  local day = floor(value / DAY)
  local seconds = value - day * DAY
  local year, month, date = date_of(day)
  return { year = year, month = month, day = date, hour = floor(seconds / 3600), minute = floor(seconds / 60) % 60,
    second = seconds % 60, weekday = day % 7 + 1, yearday = day - days_of(year, 1, 1) + 1 }
end

--- "2026-11-20T09:14:02Z", with milliseconds only where there is a fraction.
function M.iso(value)
  local rounded = math.min(floor(moment(value, "iso") * 1000 + 0.5), MOST * 1000 - 1)
  local p, ms = parts_of(floor(rounded / 1000)), rounded % 1000
  return ("%04d-%02d-%02dT%02d:%02d:%02d%sZ"):format(p.year, p.month, p.day, p.hour, p.minute, p.second,
    ms > 0 and (".%03d"):format(ms) or "")
end

local function seconds_of(year, month, day, hour, minute, second)
  local longest = month >= 1 and month <= 12 and days_of(year + floor(month / 12), month % 12 + 1, 1) - days_of(year, month, 1)
  if not longest or day < 1 or day > longest or hour > 23 or minute > 59 or second > 60 then
    return nil, "no such date or time of day"
  end
  return days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second
end

local function offset_of(zone)
  if zone:upper() == "Z" then return 0 end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  return (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60)
end

local function parse_rfc3339(text)
  local year, month, day, hour, minute, second, fraction, zone =
    text:match "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)([%.%d]*)([Zz+-].*)$"
  local offset = zone and offset_of(zone)
  if not offset or not (fraction == "" or fraction:find "^%.%d+$") then return nil end
  local seconds, why = seconds_of(year + 0, month + 0, day + 0, hour + 0, minute + 0, second + 0)
  return seconds and seconds + (tonumber("0" .. fraction) or 0) - offset, why or ""
end

--- RFC 9110, 5.6.7: the form that senders write.
local function parse_http(text)
  local day, name, year, hour, minute, second = text:match "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  for month, known in ipairs(months) do
    if known == name then
      local seconds, why = seconds_of(year + 0, month, day + 0, hour + 0, minute + 0, second + 0)
      return seconds, why or ""
    end
  end
end

--- RFC 3339 with any offset, or an HTTP date.
-- @treturn number|nil  nil and why
function M.parse(text)
  if type(text) ~= "string" then
    error(("time.parse wants text, got %s"):format(type_of(text)), 2)
  end
  local seconds, why = parse_rfc3339(text)
  if not seconds and not why then
    seconds, why = parse_http(text)
  end
  if seconds then return seconds end
  return nil, why or "not a time: write 2026-11-20T09:14:02Z"
end

local directives = {
  Y = function(p) return ("%04d"):format(p.year) end,
  y = function(p) return ("%02d"):format(p.year % 100) end,
  m = function(p) return ("%02d"):format(p.month) end,
  d = function(p) return ("%02d"):format(p.day) end,
  H = function(p) return ("%02d"):format(p.hour) end,
  M = function(p) return ("%02d"):format(p.minute) end,
  S = function(p) return ("%02d"):format(p.second) end,
  j = function(p) return ("%03d"):format(p.yearday) end,
  a = function(p) return days[p.weekday] end,
  A = function(p) return day_names[p.weekday] end,
  b = function(p) return months[p.month] end,
  B = function(p) return month_names[p.month] end,
  F = function(p) return ("%04d-%02d-%02d"):format(p.year, p.month, p.day) end,
  T = function(p) return ("%02d:%02d:%02d"):format(p.hour, p.minute, p.second) end,
  Z = function() return "UTC" end,
  z = function() return "+0000" end,
  ["%"] = function() return "%" end,
}

--- As strftime, in UTC: %Y %m %d %H %M %S %y %j %a %A %b %B %F %T %Z %z %%.
-- @tparam ?string zone  "UTC"; others are an error, so that nobody reads a time of day as another place's
function M.format(value, pattern, zone)
  local parts = parts_of(moment(value, "format"))
  if type(pattern) ~= "string" then
    error("time.format wants a pattern such as \"%Y-%m-%d\"", 2)
  elseif zone ~= nil and zone ~= "UTC" then
    error("time.format: the zone is \"UTC\"; others are not known", 2)
  end
  local unknown
  local text = pattern:gsub("%%(.?)", function(letter)
    local directive = directives[letter]
    unknown = unknown or not directive and letter
    return directive and directive(parts) or ""
  end)
  if unknown then
    error(("time.format: '%%%s' is not known"):format(unknown), 2)
  end
  return text
end

--- The time that much later; "-2d" for earlier.
function M.add(value, duration)
  moment(value, "add")
  local back = type(duration) == "string" and duration:sub(1, 1) == "-"
  local ms, why = units.duration(back and duration:sub(2) or duration)
  if not ms then
    error("time.add: " .. why, 2)
  end
  return value + (back and -ms or ms) / 1000
end

--- a - b in seconds.
function M.diff(a, b)
  return moment(a, "diff") - moment(b, "diff")
end

return M
