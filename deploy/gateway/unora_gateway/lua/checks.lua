-- Judges a REST request by the tables TYPES, ENUMS and ROUTES, which are made from the contract. What Envoy's transcoder
-- would drop in silence, or refuse without saying which field is to blame, is refused here by name.

local MOST_VIOLATIONS = 20
local NOT_NAMED = "is not one of the values that the contract names"
local WORDS_OF = {
  s = "must be text", y = "must be text in base64", t = "must be text", b = "must be true or false",
  i = "must be a whole number of 32 bits", l = "must be a whole number", d = "must be a number",
  e = NOT_NAMED, m = "must be an object", T = "must be a time such as 2026-01-31T12:00:00Z",
}

-- What a client wrote, made fit to be repeated in an answer.
local function shown(name)
  return (string.gsub(string.sub(name, 1, 100), '[^%w_.%-%[%]]', "?"))
end

local function note(violations, field, reason)
  if #violations < MOST_VIOLATIONS then
    violations[#violations + 1] = {field = field, reason = reason}
  end
end

-- The digits of the largest and, with a minus, of the smallest number of 32 and of 64 bits.
local FURTHEST = {
  i = {[""] = "2147483647", ["-"] = "2147483648"},
  l = {[""] = "9223372036854775807", ["-"] = "9223372036854775808"},
}

-- By its digits: beyond 2^53 a number of Lua is rounded, so that one too far would pass as the last one.
local function is_whole(kind, value)
  local text = getmetatable(value) == WIDE and value.text or value
  if type(text) == "number" then
    if text % 1 ~= 0 then return false end
    text = string.format("%.0f", text)
  end
  local sign, digits = string.match(text, "^(%-?)0*(%d+)$")
  if not digits then return false end
  local furthest = FURTHEST[kind][sign]
  return #digits < #furthest or (#digits == #furthest and digits <= furthest)
end

local function days_of(year, month)
  if month ~= 2 then return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31 end
  return (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 29 or 28
end

local function is_time(text)
  local parts = {string.match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):[0-5]%d:[0-6]%d(.*)$")}
  if #parts == 0 then return false end
  local year, month, day, hour = tonumber(parts[1]), tonumber(parts[2]), tonumber(parts[3]), tonumber(parts[4])
  if year < 1 or month < 1 or month > 12 or day < 1 or day > days_of(year, month) or hour > 23 then return false end
  local rest = string.gsub(parts[5], "^%.%d%d?%d?%d?%d?%d?%d?%d?%d?", "")
  return rest == "Z" or find(rest, "^[+-]%d%d:%d%d$") ~= nil
end

local function is_named(field, value)
  return ENUMS[field[3]][string.upper(value)] ~= nil
end

-- Whether a value that is written as text, such as one of a query, is of a kind.
local function fits_text(field, text)
  local kind = field[1]
  -- A service cannot read a message whose text is not UTF-8, and could not say which field is to blame.
  if no_utf8(text) then return false end
  if kind == "i" or kind == "l" then return is_whole(kind, text) end
  if kind == "d" then return tonumber(text) ~= nil end
  if kind == "b" then return text == "true" or text == "false" end
  if kind == "e" then return is_named(field, text) end
  if kind == "T" then return is_time(text) end
  return kind ~= "m"
end

local function fits(field, value)
  local kind, given = field[1], getmetatable(value) == WIDE and "number" or type(value)
  if kind == "x" then return true end
  if kind == "T" then return given == "string" and is_time(value) end
  if kind == "s" or kind == "y" or kind == "t" then return given == "string" end
  if kind == "b" then return given == "boolean" end
  if kind == "d" then return given == "number" or (given == "string" and tonumber(value) ~= nil) end
  if kind == "i" or kind == "l" then return (given == "number" or given == "string") and is_whole(kind, value) end
  return (type(value) == "string" or type(value) == "number") and is_named(field, tostring(value))
end

local check_message

local function check_value(field, value, path, unknown, wrong)
  if value == NULL then return end
  if field[1] ~= "m" then
    if not fits(field, value) then note(wrong, path, WORDS_OF[field[1]]) end
  elseif not is_object(value) then
    note(wrong, path, WORDS_OF.m)
  else
    check_message(field[3], value, path .. ".", unknown, wrong)
  end
end

check_message = function(kind, object, prefix, unknown, wrong)
  local fields, chosen = TYPES[kind], {}
  for name, value in pairs(object) do
    local field = fields[name]
    local known = field and field[4]
    local group = value ~= NULL and field and (field[5] or known)
    if group and chosen[group] then
      local first = chosen[group]
      note(wrong, prefix .. known, first == known and "is given twice" or "cannot be given together with " .. first)
    elseif group then
      chosen[group] = known
    end
    if not field then
      note(unknown, prefix .. shown(name), "is not a field of this request")
    elseif not field[2] or value == NULL then
      check_value(field, value, prefix .. known, unknown, wrong)
    elseif getmetatable(value) ~= LIST then
      note(wrong, prefix .. known, "must be a list")
    else
      for i = 1, #value do
        local path = prefix .. known .. "[" .. (i - 1) .. "]"
        if value[i] == NULL then note(wrong, path, "must be given")
        else check_value(field, value[i], path, unknown, wrong) end
      end
    end
  end
end

-- A refusal of the body, or nil: its reason, its violations, its metadata.
local function judge_body(route, text)
  if route.raw then return nil end
  if text == "" then return nil end
  if not route.body then return "BODY_UNEXPECTED" end
  local value, at = decode(text)
  if not is_object(value) then
    return "JSON_INVALID", nil, {byte = tostring(at or 1)}
  end
  local unknown, wrong = {}, {}
  check_message(route.body, value, "", unknown, wrong)
  for _, name in ipairs(route.variables) do
    if value[name[1]] ~= nil or value[name[2]] ~= nil then
      note(wrong, name[1], "comes in the path, and cannot come in the body too")
    end
  end
  if #unknown > 0 then return "FIELD_UNKNOWN", unknown end
  if #wrong > 0 then return "INVALID_ARGUMENT", wrong end
end

local function unescape(text)
  text = string.gsub(text, "+", " ")
  return (string.gsub(text, "%%(%x%x)", function(hex) return char(tonumber(hex, 16)) end))
end

-- The field of a parameter, such as `page_size` or `filter.kind`, and its path by the contract's names; nil if the
-- request has none, or not in the query.
local function queried(route, name)
  local kind, field, path = route.query, nil, {}
  if find(name, "^%.") or find(name, "%.$") or find(name, "..", 1, true) then return nil end
  for part in string.gmatch(name, "[^.]+") do
    if field and field[1] ~= "m" then return nil end
    field = kind and TYPES[kind][part]
    if not field or (field[1] == "m" and field[2]) then return nil end
    kind = field[1] == "m" and field[3]
    path[#path + 1] = field[4]
  end
  if not field or field[1] == "m" then return nil end
  return field, table.concat(path, ".")
end

-- A refusal of the query, or nil.
local function judge_query(route, query)
  local unknown, wrong, seen = {}, {}, {}
  for name, value in string.gmatch(query, "([^&=]+)=?([^&]*)") do
    name, value = unescape(name), unescape(value)
    local field, path = queried(route, name)
    for _, variable in ipairs(route.variables) do
      if path == variable[1] then field = nil end
    end
    if not field then
      note(unknown, shown(name), "is not a parameter of this request")
    elseif not fits_text(field, value) then
      note(wrong, path, WORDS_OF[field[1]])
    elseif seen[path] and not field[2] then
      note(wrong, path, "is given more than once")
    end
    if path then seen[path] = true end
  end
  if #unknown > 0 then return "QUERY_PARAMETER_UNKNOWN", unknown end
  if #wrong > 0 then return "INVALID_ARGUMENT", wrong end
end

-- A refusal of the values in the path, or nil.
local function judge_variables(route, values)
  local wrong = {}
  for i, variable in ipairs(route.variables) do
    if not fits_text(variable[3], unescape(values[i])) then note(wrong, variable[1], WORDS_OF[variable[3][1]]) end
  end
  if #wrong > 0 then return "INVALID_ARGUMENT", wrong end
end

-- The routes of a path by their HTTP method, and the values of its variables; nil if there is no such path.
local function match(path)
  local values, node = {}, ROUTES
  local last, verb = path, ""
  local colon = find(path, ":[^/:]*$")
  if colon then last, verb = sub(path, 1, colon - 1), sub(path, colon + 1) end
  if sub(last, 1, 1) ~= "/" or sub(last, -1) == "/" then return nil end
  for part in string.gmatch(last, "[^/]+") do
    local fixed = node.fixed and node.fixed[part]
    if not fixed and node.variable then values[#values + 1] = part end
    node = fixed or node.variable
    if not node then return nil end
  end
  return node.verbs and node.verbs[verb], values
end
