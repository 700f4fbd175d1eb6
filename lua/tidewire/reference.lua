--- Every word of rules in one line: what `tidewire api`, the editor's file and lua/REFERENCE.md are made of. A word that is added
-- anywhere gets its line in reference/; tests/core/script/reference_spec.lua compares this with what the loader knows, both ways.
--
-- A section: name; kind; text; entries, each { name, type, text, default = what holds without it }. Kinds:
--   sentence  `name "…" { entries }`: form is how it is written, class the name of its options in an editor
--   options   a table inside a sentence or an option word: class, and `of`: where it stands
--   words     functions without a library in front; types are "(parameter: type, …): result"
--   library   functions as name.word
--   object    a value with fields and methods: class; methods have types as words have
--   lua       names only: Lua's own
-- Types are those of the Lua language server.
-- @module tidewire.reference
local M = {}

for _, name in ipairs { "sentences", "options", "handlers", "libraries" } do
  for _, section in ipairs(require("tidewire.reference." .. name)) do
    M[#M + 1] = section
  end
end

return M
