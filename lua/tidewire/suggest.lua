--- Near words: what somebody meant who wrote something else.
-- @module tidewire.suggest
local M = {}

--- Edits between two words, a swap of neighbours counted as one (Damerau-Levenshtein, optimal string alignment).
-- @treturn number
function M.distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local this = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      this[j] = math.min(row[j] + 1, this[j - 1] + 1, row[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        this[j] = math.min(this[j], before[j - 2] + 1)
      end
    end
    before, row = row, this
  end
  return row[#b]
end

--- The nearest of names, at most one edit per three letters of what was written, or nil.
-- @tparam string word
-- @tparam {string,...} names
function M.nearest(word, names)
  if type(word) ~= "string" then
    return nil
  end
  local best, best_distance
  local most = math.max(1, math.floor(#word / 3))
  for _, name in ipairs(names) do
    if name:lower() == word:lower() then
      return name
    end
    if math.abs(#name - #word) <= most then
      local d = M.distance(word, name)
      if d <= most and (not best or d < best_distance or (d == best_distance and name < best)) then
        best, best_distance = name, d
      end
    end
  end
  return best
end

--- ", did you mean 'x'?" or "".
function M.hint(word, names)
  local near = M.nearest(word, names)
  return near and (", did you mean '%s'?"):format(near) or ""
end

--- The text keys of a table, sorted.
function M.names_of(t)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

return M
