-- The gateway's own part of each call. On a request: removes what only a gateway may say, and refuses a REST request
-- that the contract does not know. On an answer: gives every error of REST the one shape, and every refusal of Envoy's
-- own the details that services give to callers of gRPC.

local DETAILS, KIND, VERB, DEADLINE = "x-unora-refused", "x-unora-asked", "x-unora-verb", "x-unora-deadline"
local UNITS = {H = 3600000, M = 60000, S = 1000, m = 1, u = 0.001, n = 0.000001} -- of grpc-timeout, in milliseconds
local JSON = "application/json"
local GRPC, WEB = "application/grpc", {}
for _, form in ipairs({"-web", "-web+proto", "-web-text", "-web-text+proto"}) do WEB[GRPC .. form] = true end
local ONLY_GRPC = {"grpc-timeout", "grpc-encoding", "grpc-accept-encoding"}
local OF_GRPC = {"grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-accept-encoding"}

local function starts(text, start)
  return sub(text, 1, #start) == start
end

-- As Envoy has it: what it does not take for gRPC or gRPC-Web is REST for us too, and gets errors as REST has them.
local function is_native(kind)
  return kind == GRPC or starts(kind, GRPC .. "+")
end

-- {"code", "reason", "message", "metadata", "violations"}
local function error_body(code, reason, message, metadata, violations)
  local pairs_of, list = {}, {}
  for name, value in pairs(metadata or {}) do pairs_of[#pairs_of + 1] = quote(name) .. ":" .. quote(tostring(value)) end
  for i, each in ipairs(violations or {}) do
    list[i] = '{"field":' .. quote(each.field) .. ',"reason":' .. quote(each.reason) .. "}"
  end
  return '{"code":' .. quote(code) .. ',"reason":' .. quote(reason) .. ',"message":' .. quote(message) ..
         ',"metadata":{' .. table.concat(pairs_of, ",") .. '},"violations":[' .. table.concat(list, ",") .. "]}"
end

local function log_reason(handle, reason)
  handle:streamInfo():dynamicMetadata():set("unora", "reason", reason)
end

local function refuse(handle, reason, violations, metadata)
  local said = REFUSALS[reason]
  log_reason(handle, reason)
  local headers = {[":status"] = tostring(said.http), ["content-type"] = JSON}
  if metadata and metadata.allow then headers.allow = metadata.allow end
  handle:respond(headers, error_body(said.code, reason, said.sentence, metadata or said.metadata, violations))
end

-- Only headers on the list stay; the others would reach services as metadata, under any name that a client likes.
local function keep_known(headers, is_grpc)
  local dropped = {}
  for name in pairs(headers) do
    if not PASSED_HEADERS[name] then dropped[#dropped + 1] = name end
  end
  for i = 1, #dropped do headers:remove(dropped[i]) end
  if is_grpc then return end
  for _, name in ipairs(ONLY_GRPC) do headers:remove(name) end -- REST has no deadline of the caller's, and no compression
end

-- Each call begins a trace, by the id that Envoy has given it. A client's own is kept for the log alone: its id would
-- decide whether the call is recorded and logged. The end says that it is not recorded; a gateway that records traces
-- lets Envoy replace the header by its own later on.
local function begin_trace(handle, headers, id, client)
  local said = handle:streamInfo():dynamicMetadata()
  local first, second = string.match(client or "", "^%x%x%-(%x+)%-(%x+)%-%x%x$")
  if first and #first == 32 and #second == 16 then said:set("unora", "client_trace", client) end
  local made = string.gsub(id or "", "%-", "")
  if #made ~= 32 or find(made, "%X") then return end -- then it begins in the service
  local trace = "00-" .. made .. "-" .. sub(made, 17) .. "-00"
  headers:replace("traceparent", trace)
  said:set("unora", "trace", trace)
end

-- A service has a second more than Envoy waits. If both gave up at once, the service's DEADLINE_EXCEEDED would often be
-- first, and count as a failure of its replica: a caller who sets short deadlines could have replicas left out.
local function keep_deadline(headers)
  local number, unit = string.match(headers:get("grpc-timeout") or "", "^(%d+)([HMSmun])$")
  local asked = number and tonumber(number) * UNITS[unit] or MILLISECONDS.default
  headers:replace(DEADLINE, string.format("%dm", math.ceil(math.min(asked, MILLISECONDS.longest)) + 1000))
end

local function verbs_of(routes)
  local verbs = routes.GET and {"HEAD"} or {}
  for verb in pairs(routes) do verbs[#verbs + 1] = verb end
  table.sort(verbs)
  return table.concat(verbs, ", ")
end

-- HEAD is where GET is (RFC 9110, 9.3.2). The contract names GET alone, so the call goes on as one.
local function ask_as_get(handle, headers)
  headers:replace(":method", "GET")
  handle:streamInfo():dynamicMetadata():set("unora", "head", true)
  return "GET"
end

local function was_head(handle)
  return (handle:streamInfo():dynamicMetadata():get("unora") or {}).head
end

-- A REST request: nil if it may go on, else a reason, violations and metadata.
local function judge(handle, headers, kind)
  local path, query = string.match(headers:get(":path"), "^([^?]*)%??(.*)$")
  if PAGES[path] then return nil end
  if METHODS[path] then return "MEDIA_TYPE_UNSUPPORTED" end
  local routes, values = match(path)
  if not routes then return "PATH_UNKNOWN" end
  local verb = headers:get(":method")
  if verb == "HEAD" and routes.GET then verb = ask_as_get(handle, headers) end
  local route = routes[verb]
  if not route then return "VERB_UNKNOWN", nil, {allow = verbs_of(routes)} end
  local reason, violations = judge_variables(route, values)
  if not reason then reason, violations = judge_query(route, query) end
  if reason then return reason, violations end
  if find(kind, "[^\32-\126]") then return "MEDIA_TYPE_UNSUPPORTED" end -- webhooks pass it on, as text
  local body = handle:body()
  local text = body and body:length() > 0 and body:getBytes(0, body:length()) or ""
  if text ~= "" and not route.raw and string.lower(string.match(kind, "^[^; ]*")) ~= JSON then
    return "MEDIA_TYPE_UNSUPPORTED"
  end
  return judge_body(route, text)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local kind = headers:get("content-type") or ""
  local is_grpc = is_native(kind) or WEB[kind]
  local id, agent = headers:get("x-request-id"), headers:get("user-agent")
  local client = headers:get("x-unora-client-trace")
  keep_known(headers, is_grpc)
  begin_trace(handle, headers, id, client)
  keep_deadline(headers)
  if agent then headers:replace("unora-client-device", sub(string.gsub(agent, "[^\32-\126]", "?"), 1, 200)) end
  if is_grpc then
    if not METHODS[headers:get(":path")] or headers:get(":method") ~= "POST" then
      handle:respond({[":status"] = "404"}, "METHOD_UNKNOWN")
    end
    return headers:replace("te", "trailers") -- without it services reset the stream, as if they had failed
  end
  local reason, violations, metadata = judge(handle, headers, kind)
  if reason then refuse(handle, reason, violations, metadata) end
end

-- Why Envoy itself refused, by what it says of it and by its status.
local function reason_of(details, status, is_grpc)
  if find(details, "max_duration_timeout", 1, true) or find(details, "response_timeout", 1, true) then
    return "DEADLINE_EXCEEDED"
  end
  if status == 404 and is_grpc then return "METHOD_UNKNOWN" end
  if status == 501 and details ~= "" then return "REQUEST_MALFORMED" end -- an encoding of HTTP that nobody knows
  return OF_STATUS[status] or (status >= 500 and "INTERNAL") or "REQUEST_MALFORMED"
end

-- A refusal of Envoy's own, to a caller of gRPC: with the details that a service would give.
local function refuse_grpc(headers, reason)
  local said = REFUSALS[reason]
  headers:replace("grpc-status", tostring(said.number))
  headers:replace("grpc-message", reason)
  headers:replace("grpc-status-details-bin", said.details)
end

-- A refusal before the gRPC-Web filter has seen the call: in headers, as such clients take it.
local function refuse_web(handle, kind, reason)
  handle:body(true):setBytes("")
  local headers = handle:headers()
  headers:replace(":status", "200")
  headers:replace("content-type", kind)
  headers:replace("content-length", "0")
  refuse_grpc(headers, reason)
end

-- What the transcoder says of a value that it cannot read, such as `(birth_date.year): invalid value …`.
local function told_by_transcoder(text)
  local field = string.match(text, "%(([%w_.%[%]]+)%)")
  return field and {{field = field, reason = "cannot be read"}} or nil
end

-- A service's error as the transcoder writes it, a google.rpc.Status in JSON.
local function read_status(text)
  local status = decode(text)
  if type(status) ~= "table" or type(status.details) ~= "table" then return nil end
  local info, sentence, violations = nil, nil, {}
  for _, detail in ipairs(status.details) do
    local kind = string.match(tostring(detail["@type"]), "[^.]+$")
    if kind == "ErrorInfo" then info = detail end
    if kind == "LocalizedMessage" then sentence = detail.message end
    for _, each in ipairs(kind == "BadRequest" and (detail.field_violations or detail.fieldViolations) or {}) do
      violations[#violations + 1] = {field = each.field or "", reason = each.description or ""}
    end
  end
  return info and {code = CODES[status.code] or "UNKNOWN", reason = info.reason, message = sentence or info.reason,
                   metadata = info.metadata or {}, violations = violations}
end

local function plain(reason, violations)
  local said = REFUSALS[reason]
  return {http = said.http, code = said.code, reason = reason, message = said.sentence, metadata = said.metadata,
          violations = violations}
end

local function shape(handle, status, details)
  local body = handle:body(true)
  local headers = handle:headers() -- those from before the body was awaited are no longer valid
  local text = body:length() > 0 and body:getBytes(0, body:length()) or ""
  local found = read_status(text)
  if not found and details and status == 400 and find(details, "transcod", 1, true) then
    -- That the body is JSON was seen before, but not its letters: else it is a value that the transcoder cannot read.
    if find(text, "UTF%-?8") then found = plain("JSON_INVALID")
    else found = plain("INVALID_ARGUMENT", told_by_transcoder(text)) end
  elseif not found then
    found = plain(reason_of(details or "", status, false))
  end
  local written = error_body(found.code, found.reason, found.message, found.metadata, found.violations)
  body:setBytes(written)
  if found.http then headers:replace(":status", tostring(found.http)) end
  headers:replace("content-type", JSON)
  headers:replace("content-length", tostring(#written))
  local retry_after = tonumber(found.metadata.retry_after)
  if retry_after then headers:replace("retry-after", tostring(math.ceil(retry_after))) end
  log_reason(handle, found.reason)
end

-- The answer to HEAD: that to GET, with its length and without its body, which a client would read as the next answer.
local function drop_body(handle)
  local body = handle:body(true)
  local length = body:length()
  if length == 0 then return end -- Envoy has left it out
  body:setBytes("")
  handle:headers():replace("content-length", tostring(length))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local details, kind = headers:get(DETAILS), headers:get(KIND) or ""
  local is_head = headers:get(VERB) == "HEAD" or was_head(handle)
  if details then
    for _, name in ipairs({DETAILS, KIND, VERB}) do headers:remove(name) end
  end
  local status = tonumber(headers:get(":status"))
  if starts(headers:get("content-type") or "", "application/grpc") then
    if details then
      local http = status ~= 200 and status or HTTP_OF[headers:get("grpc-status")] or 500
      headers:replace(":status", "200")
      refuse_grpc(headers, reason_of(details, http, true))
    end
  elseif details and WEB[kind] then
    refuse_web(handle, kind, reason_of(details, status, true))
  else
    for _, name in ipairs(OF_GRPC) do headers:remove(name) end
    if status >= 400 and details ~= "lua_response" then shape(handle, status, details) end
    if is_head then drop_body(handle) end
  end
end
