-- JSON (RFC 8259), read strictly: UTF-8, one value, no repeated names, at most DEPTH levels. `decode` returns the value,
-- or nil and the byte at which reading ended. Objects are tables, lists are tables with the metatable LIST, null is NULL.
-- A whole number of more than 15 digits, which a number of Lua may not hold exactly, is {text = …} with the metatable WIDE.

local DEPTH = 64
local NULL = setmetatable({}, {})
local LIST, WIDE = {}, {}
local find, sub, byte, char = string.find, string.sub, string.byte, string.char
local ESCAPES = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}
local WORDS = {t = {"true", true}, f = {"false", false}, n = {"null", NULL}}

local function fail(at)
  error({at = at}, 0)
end

local function skip(text, at)
  return find(text, "[^ \t\r\n]", at) or #text + 1
end

local function utf8(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
              0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function read_unicode(text, at)
  local _, last, hex = find(text, "^u(%x%x%x%x)", at)
  if not hex then fail(at) end
  local code = tonumber(hex, 16)
  if code >= 0xD800 and code < 0xDC00 then
    local _, after, low = find(text, "^\\u([dD][c-fC-F]%x%x)", last + 1)
    if not low then fail(at) end
    return utf8(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), after + 1
  elseif code >= 0xDC00 and code < 0xE000 then
    fail(at)
  end
  return utf8(code), last + 1
end

local function read_escaped(text, at)
  local parts, from = nil, at + 1
  local i = from
  while true do
    local stop = find(text, '["\\%c]', i)
    local found = stop and sub(text, stop, stop)
    if found == '"' then
      local rest = sub(text, from, stop - 1)
      if parts then
        parts[#parts + 1] = rest
        rest = table.concat(parts)
      end
      return rest, stop + 1
    elseif found == "\\" then
      parts = parts or {}
      parts[#parts + 1] = sub(text, from, stop - 1)
      local plain = ESCAPES[sub(text, stop + 1, stop + 1)]
      if plain then
        i = stop + 2
      else
        plain, i = read_unicode(text, stop + 1)
      end
      parts[#parts + 1] = plain
      from = i
    elseif found == "\127" then
      i = stop + 1
    else
      fail(stop or #text + 1)
    end
  end
end

-- Most strings hold no escape: these are cut out as they are.
local function read_string(text, at)
  local quote = find(text, '"', at + 1, true)
  local plain = quote and sub(text, at + 1, quote - 1)
  if plain and not find(plain, "\\", 1, true) and not find(plain, "%c") then return plain, quote + 1 end
  return read_escaped(text, at)
end

local function read_number(text, at)
  local _, last = find(text, "^%-?%d+", at)
  if not last or find(text, "^%-?0%d", at) then fail(at) end
  local _, fraction = find(text, "^%.%d+", last + 1)
  last = fraction or last
  local _, exponent = find(text, "^[eE][+-]?%d+", last + 1)
  last = exponent or last
  local digits = sub(text, at, last)
  if not fraction and not exponent and #digits > 15 then return setmetatable({text = digits}, WIDE), last + 1 end
  return tonumber(digits), last + 1
end

local read

local function read_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if byte(text, at) == 125 then return object, at + 1 end
  while true do
    if byte(text, at) ~= 34 then fail(at) end
    local name, after = read_string(text, at)
    if object[name] ~= nil then fail(at) end
    at = skip(text, after)
    if byte(text, at) ~= 58 then fail(at) end
    object[name], at = read(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local next = byte(text, at)
    if next == 125 then return object, at + 1 end
    if next ~= 44 then fail(at) end
    at = skip(text, at + 1)
  end
end

local function read_list(text, at, depth)
  local list = setmetatable({}, LIST)
  at = skip(text, at + 1)
  if byte(text, at) == 93 then return list, at + 1 end
  while true do
    list[#list + 1], at = read(text, at, depth)
    at = skip(text, at)
    local next = byte(text, at)
    if next == 93 then return list, at + 1 end
    if next ~= 44 then fail(at) end
    at = skip(text, at + 1)
  end
end

read = function(text, at, depth)
  local first = sub(text, at, at)
  if first == '"' then return read_string(text, at) end
  if first == "{" or first == "[" then
    if depth == 0 then fail(at) end
    return (first == "{" and read_object or read_list)(text, at, depth - 1)
  end
  local word = WORDS[first]
  if not word then return read_number(text, at) end
  if sub(text, at, at + #word[1] - 1) ~= word[1] then fail(at) end
  return word[2], at + #word[1]
end

-- The byte at which a text stops being UTF-8 (RFC 3629), or nil.
local function no_utf8(text)
  local at = find(text, "[\128-\255]")
  while at do
    local first, second = byte(text, at, at + 1)
    local others = (first >= 0xF0 and 3) or (first >= 0xE0 and 2) or 1
    local _, last = find(text, "^" .. string.rep("[\128-\191]", others), at + 1)
    if not last or first < 0xC2 or first > 0xF4 then return at end
    if (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F) then return at end
    if (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F) then return at end
    at = find(text, "[\128-\255]", last + 1)
  end
end

local function decode(text)
  local strange = no_utf8(text)
  if strange then return nil, strange end
  local good, value, at = pcall(read, text, skip(text, 1), DEPTH)
  if not good then
    return nil, type(value) == "table" and value.at or 1
  end
  at = skip(text, at)
  if at <= #text then return nil, at end
  return value
end

local function is_object(value)
  return type(value) == "table" and getmetatable(value) == nil
end

local CONTROL = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function quote(text)
  return '"' .. string.gsub(text, '[%c"\\]', function(found)
    return CONTROL[found] or string.format("\\u%04x", byte(found))
  end) .. '"'
end
