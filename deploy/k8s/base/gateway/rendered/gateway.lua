-- Made by `python -m unora_gateway render` from the contract.

local TYPES = {[1]={},[2]={},[3]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["tier"]={"e",false,4,"tier",false},["method"]={"e",false,5,"method",false},["quote"]={"m",false,6,"quote",false}},[6]={["method"]={"e",false,5,"method",false},["amount"]={"l",false,false,"amount",false},["currency"]={"s",false,false,"currency",false}},[7]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[8]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["purpose"]={"e",false,9,"purpose",false},["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false},["reveal_number"]={"i",false,false,"reveal_number",false},["revealNumber"]={"i",false,false,"reveal_number",false},["method"]={"e",false,5,"method",false},["quote"]={"m",false,6,"quote",false}},[10]={["purpose"]={"e",false,9,"purpose",false},["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false},["reveal_number"]={"i",false,false,"reveal_number",false},["revealNumber"]={"i",false,false,"reveal_number",false},["tier"]={"e",false,4,"tier",false},["method"]={"e",false,5,"method",false}},[11]={["payment_id"]={"s",false,false,"payment_id",false},["paymentId"]={"s",false,false,"payment_id",false}},[12]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[13]={},[14]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[15]={},[16]={},[17]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["profile"]={"m",false,18,"profile",false},["update_mask"]={"t",false,false,"update_mask",false},["updateMask"]={"t",false,false,"update_mask",false}},[18]={["name"]={"s",false,false,"name",false},["date_of_birth"]={"m",false,19,"date_of_birth",false},["dateOfBirth"]={"m",false,19,"date_of_birth",false},["gender"]={"e",false,20,"gender",false},["city"]={"s",false,false,"city",false},["bio"]={"s",false,false,"bio",false},["time_zone"]={"s",false,false,"time_zone",false},["timeZone"]={"s",false,false,"time_zone",false},["occupation"]={"s",false,false,"occupation",false},["place_id"]={"s",false,false,"place_id",false},["placeId"]={"s",false,false,"place_id",false},["country"]={"s",false,false,"country",false}},[19]={["year"]={"i",false,false,"year",false},["month"]={"i",false,false,"month",false},["day"]={"i",false,false,"day",false}},[21]={},[22]={},[23]={},[24]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["hobbies"]={"m",true,25,"hobbies",false}},[25]={["hobby_option_id"]={"s",false,false,"hobby_option_id",false},["hobbyOptionId"]={"s",false,false,"hobby_option_id",false},["micro_description"]={"s",false,false,"micro_description",false},["microDescription"]={"s",false,false,"micro_description",false},["hidden"]={"b",false,false,"hidden",false}},[26]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["content_type"]={"s",false,false,"content_type",false},["contentType"]={"s",false,false,"content_type",false},["replaces_photo_id"]={"s",false,false,"replaces_photo_id",false},["replacesPhotoId"]={"s",false,false,"replaces_photo_id",false}},[27]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["photo_id"]={"s",false,false,"photo_id",false},["photoId"]={"s",false,false,"photo_id",false}},[28]={},[29]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["photo_id"]={"s",false,false,"photo_id",false},["photoId"]={"s",false,false,"photo_id",false}},[30]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["photo_ids"]={"s",true,false,"photo_ids",false},["photoIds"]={"s",true,false,"photo_ids",false}},[31]={},[33]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false}},[34]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false}},[35]={["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false}},[36]={},[37]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false}},[38]={["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false}},[39]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["server_type"]={"e",false,32,"server_type",false},["serverType"]={"e",false,32,"server_type",false},["filters"]={"m",false,40,"filters",false},["update_mask"]={"t",false,false,"update_mask",false},["updateMask"]={"t",false,false,"update_mask",false}},[40]={["genders"]={"e",true,20,"genders",false},["min_age"]={"i",false,false,"min_age",false},["minAge"]={"i",false,false,"min_age",false},["max_age"]={"i",false,false,"max_age",false},["maxAge"]={"i",false,false,"max_age",false},["same_city_only"]={"b",false,false,"same_city_only",false},["sameCityOnly"]={"b",false,false,"same_city_only",false}},[41]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["phone_number"]={"s",false,false,"phone_number",false},["phoneNumber"]={"s",false,false,"phone_number",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false}},[42]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["challenge_id"]={"s",false,false,"challenge_id",false},["challengeId"]={"s",false,false,"challenge_id",false},["code"]={"s",false,false,"code",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false},["totp_code"]={"s",false,false,"totp_code",false},["totpCode"]={"s",false,false,"totp_code",false},["birth_date"]={"m",false,19,"birth_date",false},["birthDate"]={"m",false,19,"birth_date",false}},[43]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["challenge_id"]={"s",false,false,"challenge_id",false},["challengeId"]={"s",false,false,"challenge_id",false},["code"]={"s",false,false,"code",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false},["birth_date"]={"m",false,19,"birth_date",false},["birthDate"]={"m",false,19,"birth_date",false},["totp_code"]={"s",false,false,"totp_code",false},["totpCode"]={"s",false,false,"totp_code",false}},[44]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["challenge_id"]={"s",false,false,"challenge_id",false},["challengeId"]={"s",false,false,"challenge_id",false},["code"]={"s",false,false,"code",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false},["proof"]={"m",false,45,"proof",false},["replaces_account"]={"b",false,false,"replaces_account",false},["replacesAccount"]={"b",false,false,"replaces_account",false}},[45]={["linked_account"]={"m",false,46,"linked_account","oneof proof"},["linkedAccount"]={"m",false,46,"linked_account","oneof proof"},["gov_id_reference"]={"s",false,false,"gov_id_reference","oneof proof"},["govIdReference"]={"s",false,false,"gov_id_reference","oneof proof"}},[46]={["provider"]={"s",false,false,"provider",false},["id_token"]={"s",false,false,"id_token",false},["idToken"]={"s",false,false,"id_token",false}},[47]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["challenge_id"]={"s",false,false,"challenge_id",false},["challengeId"]={"s",false,false,"challenge_id",false},["code"]={"s",false,false,"code",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false},["name"]={"s",false,false,"name",false},["date_of_birth"]={"m",false,19,"date_of_birth",false},["dateOfBirth"]={"m",false,19,"date_of_birth",false}},[48]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["refresh_token"]={"s",false,false,"refresh_token",false},["refreshToken"]={"s",false,false,"refresh_token",false}},[49]={},[50]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[51]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["session_id"]={"s",false,false,"session_id",false},["sessionId"]={"s",false,false,"session_id",false}},[52]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[53]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["phone_number"]={"s",false,false,"phone_number",false},["phoneNumber"]={"s",false,false,"phone_number",false}},[54]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["challenge_id"]={"s",false,false,"challenge_id",false},["challengeId"]={"s",false,false,"challenge_id",false},["code"]={"s",false,false,"code",false}},[55]={},[56]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[57]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[58]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[59]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["platform"]={"e",false,60,"platform",false},["token"]={"s",false,false,"token",false},["locale"]={"s",false,false,"locale",false}},[61]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["device_id"]={"s",false,false,"device_id",false},["deviceId"]={"s",false,false,"device_id",false}},[62]={},[63]={},[64]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["settings"]={"m",false,65,"settings",false}},[65]={["muted"]={"e",true,66,"muted",false},["quiet_hours"]={"m",false,67,"quiet_hours",false},["quietHours"]={"m",false,67,"quiet_hours",false},["locale"]={"s",false,false,"locale",false}},[67]={["begin"]={"s",false,false,"begin",false},["end"]={"s",false,false,"end",false}},[68]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[69]={},[70]={["query"]={"s",false,false,"query",false},["country"]={"s",false,false,"country",false},["limit"]={"i",false,false,"limit",false}},[71]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["provider"]={"s",false,false,"provider",false},["id_token"]={"s",false,false,"id_token",false},["idToken"]={"s",false,false,"id_token",false}},[72]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false}},[73]={},[74]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["card_id"]={"s",false,false,"card_id",false},["cardId"]={"s",false,false,"card_id",false}},[75]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["interest_id"]={"s",false,false,"interest_id",false},["interestId"]={"s",false,false,"interest_id",false}},[76]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[77]={},[78]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false},["show_ended"]={"b",false,false,"show_ended",false},["showEnded"]={"b",false,false,"show_ended",false}},[79]={["connection_id"]={"s",false,false,"connection_id",false},["connectionId"]={"s",false,false,"connection_id",false}},[80]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["connection_id"]={"s",false,false,"connection_id",false},["connectionId"]={"s",false,false,"connection_id",false},["reason"]={"e",false,81,"reason",false}},[82]={},[83]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["answers"]={"m",true,84,"answers",false}},[84]={["question_id"]={"i",false,false,"question_id",false},["questionId"]={"i",false,false,"question_id",false},["answer"]={"i",false,false,"answer",false}},[85]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["question_id"]={"i",false,false,"question_id",false},["questionId"]={"i",false,false,"question_id",false}},[86]={},[87]={["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false}},[88]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false},["reveal_number"]={"i",false,false,"reveal_number",false},["revealNumber"]={"i",false,false,"reveal_number",false}},[89]={},[90]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false},["status"]={"e",false,91,"status",false}},[92]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["case_id"]={"s",false,false,"case_id",false},["caseId"]={"s",false,false,"case_id",false},["take_over"]={"b",false,false,"take_over",false},["takeOver"]={"b",false,false,"take_over",false}},[93]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["case_id"]={"s",false,false,"case_id",false},["caseId"]={"s",false,false,"case_id",false},["decision"]={"e",false,94,"decision",false},["note"]={"s",false,false,"note",false}},[95]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false},["pattern"]={"e",false,96,"pattern",false},["show_closed"]={"b",false,false,"show_closed",false},["showClosed"]={"b",false,false,"show_closed",false}},[97]={["user_id"]={"s",false,false,"user_id",false},["userId"]={"s",false,false,"user_id",false}},[98]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false},["source_context"]={"s",false,false,"source_context",false},["sourceContext"]={"s",false,false,"source_context",false},["event_name"]={"s",false,false,"event_name",false},["eventName"]={"s",false,false,"event_name",false},["aggregate_id"]={"s",false,false,"aggregate_id",false},["aggregateId"]={"s",false,false,"aggregate_id",false},["member_id"]={"s",false,false,"member_id",false},["memberId"]={"s",false,false,"member_id",false},["recorded_from"]={"T",false,false,"recorded_from",false},["recordedFrom"]={"T",false,false,"recorded_from",false},["recorded_until"]={"T",false,false,"recorded_until",false},["recordedUntil"]={"T",false,false,"recorded_until",false}},[99]={["source_context"]={"s",false,false,"source_context",false},["sourceContext"]={"s",false,false,"source_context",false},["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[100]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["target"]={"m",false,101,"target",false}},[101]={["card_id"]={"s",false,false,"card_id","oneof target"},["cardId"]={"s",false,false,"card_id","oneof target"},["connection_id"]={"s",false,false,"connection_id","oneof target"},["connectionId"]={"s",false,false,"connection_id","oneof target"}},[102]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["block_id"]={"s",false,false,"block_id",false},["blockId"]={"s",false,false,"block_id",false}},[103]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[104]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["target"]={"m",false,101,"target",false},["category"]={"e",false,105,"category",false},["note"]={"s",false,false,"note",false}},[106]={},[107]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[108]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["text"]={"s",false,false,"text",false}},[109]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}},[110]={},[111]={["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false}},[112]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false},["effort_signal"]={"e",false,113,"effort_signal",false},["effortSignal"]={"e",false,113,"effort_signal",false}},[114]={["request_id"]={"s",false,false,"request_id",false},["requestId"]={"s",false,false,"request_id",false},["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false}},[115]={["streak_id"]={"s",false,false,"streak_id",false},["streakId"]={"s",false,false,"streak_id",false}},[116]={["page_size"]={"i",false,false,"page_size",false},["pageSize"]={"i",false,false,"page_size",false},["page_token"]={"s",false,false,"page_token",false},["pageToken"]={"s",false,false,"page_token",false}}}

local ENUMS = {[4]={["TIER_UNSPECIFIED"]=true,["0"]=true,["TIER_FREE"]=true,["1"]=true,["TIER_PLUS"]=true,["2"]=true,["TIER_PRO"]=true,["3"]=true},[5]={["PAYMENT_METHOD_UNSPECIFIED"]=true,["0"]=true,["PAYMENT_METHOD_MONEY"]=true,["1"]=true,["PAYMENT_METHOD_CREDITS"]=true,["2"]=true,["PAYMENT_METHOD_FREE"]=true,["3"]=true},[9]={["PAYMENT_PURPOSE_UNSPECIFIED"]=true,["0"]=true,["PAYMENT_PURPOSE_RECOVERY"]=true,["1"]=true,["PAYMENT_PURPOSE_REVEAL"]=true,["2"]=true,["PAYMENT_PURPOSE_NUDGE"]=true,["3"]=true,["PAYMENT_PURPOSE_SUBSCRIPTION"]=true,["4"]=true},[20]={["GENDER_UNSPECIFIED"]=true,["0"]=true,["GENDER_WOMAN"]=true,["1"]=true,["GENDER_MAN"]=true,["2"]=true,["GENDER_NON_BINARY"]=true,["3"]=true},[32]={["SERVER_TYPE_UNSPECIFIED"]=true,["0"]=true,["SERVER_TYPE_PARTNER"]=true,["1"]=true,["SERVER_TYPE_FRIEND"]=true,["2"]=true,["SERVER_TYPE_GROWTH"]=true,["3"]=true},[60]={["PUSH_PLATFORM_UNSPECIFIED"]=true,["0"]=true,["PUSH_PLATFORM_FCM"]=true,["1"]=true,["PUSH_PLATFORM_APNS"]=true,["2"]=true,["PUSH_PLATFORM_WEB"]=true,["3"]=true},[66]={["NOTIFICATION_CATEGORY_UNSPECIFIED"]=true,["0"]=true,["NOTIFICATION_CATEGORY_CONNECTIONS"]=true,["1"]=true,["NOTIFICATION_CATEGORY_STREAKS"]=true,["2"]=true,["NOTIFICATION_CATEGORY_REVEALS"]=true,["3"]=true,["NOTIFICATION_CATEGORY_DISCOVERY"]=true,["4"]=true,["NOTIFICATION_CATEGORY_PAYMENTS"]=true,["5"]=true,["NOTIFICATION_CATEGORY_SAFETY"]=true,["6"]=true,["NOTIFICATION_CATEGORY_SECURITY"]=true,["7"]=true},[81]={["END_REASON_UNSPECIFIED"]=true,["0"]=true,["END_REASON_NOT_A_FIT"]=true,["1"]=true,["END_REASON_NO_TIME"]=true,["2"]=true,["END_REASON_UNRESPONSIVE"]=true,["3"]=true,["END_REASON_UNCOMFORTABLE"]=true,["4"]=true,["END_REASON_OTHER"]=true,["5"]=true},[91]={["CASE_STATUS_UNSPECIFIED"]=true,["0"]=true,["CASE_STATUS_OPEN"]=true,["1"]=true,["CASE_STATUS_ASSIGNED"]=true,["2"]=true,["CASE_STATUS_DECIDED"]=true,["3"]=true},[94]={["DECISION_UNSPECIFIED"]=true,["0"]=true,["DECISION_DISMISS"]=true,["1"]=true,["DECISION_REDUCE_VISIBILITY"]=true,["2"]=true,["DECISION_RESTRICT"]=true,["3"]=true,["DECISION_SUSPEND"]=true,["4"]=true},[96]={["FLAG_PATTERN_UNSPECIFIED"]=true,["0"]=true,["FLAG_PATTERN_INTEREST_FLOOD"]=true,["1"]=true,["FLAG_PATTERN_BAD_FAITH_ENDINGS"]=true,["2"]=true,["FLAG_PATTERN_MANY_BLOCKS"]=true,["3"]=true,["FLAG_PATTERN_MANY_REPORTS"]=true,["4"]=true,["FLAG_PATTERN_SHARED_DEVICE"]=true,["5"]=true,["FLAG_PATTERN_PAYMENT_ABUSE"]=true,["6"]=true,["FLAG_PATTERN_OUTLIER"]=true,["7"]=true,["FLAG_PATTERN_UNDER_AGE_DATE"]=true,["8"]=true,["FLAG_PATTERN_CHARGEBACKS"]=true,["9"]=true,["FLAG_PATTERN_SUSPENDED_BEFORE"]=true,["10"]=true},[105]={["REPORT_CATEGORY_UNSPECIFIED"]=true,["0"]=true,["REPORT_CATEGORY_HARASSMENT"]=true,["1"]=true,["REPORT_CATEGORY_SEXUAL_CONTENT"]=true,["2"]=true,["REPORT_CATEGORY_IMPERSONATION"]=true,["3"]=true,["REPORT_CATEGORY_SCAM"]=true,["4"]=true,["REPORT_CATEGORY_UNDER_AGE"]=true,["5"]=true,["REPORT_CATEGORY_OTHER"]=true,["6"]=true},[113]={["EFFORT_SIGNAL_UNSPECIFIED"]=true,["0"]=true,["EFFORT_SIGNAL_LOW"]=true,["1"]=true,["EFFORT_SIGNAL_MEDIUM"]=true,["2"]=true,["EFFORT_SIGNAL_HIGH"]=true,["3"]=true}}

local ROUTES = {["fixed"]={["v1"]={["fixed"]={["plans"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=1}}}},["subscription"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=2},["POST"]={["variables"]={},["body"]=3}},["cancel"]={["POST"]={["variables"]={},["body"]=7}}}},["payments"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=8},["GET"]={["variables"]={},["query"]=12}}},["variable"]={["verbs"]={[""]={["GET"]={["variables"]={{"payment_id","paymentId",{"s",false,false}}},["query"]=11}}}}},["quote"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=10}}}},["credits"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=13}}},["fixed"]={["entries"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=14}}}}}},["wallet"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=15}}}},["webhooks"]={["fixed"]={["payments"]={["verbs"]={[""]={["POST"]={["raw"]=true,["variables"]={}}}}},["gov-id"]={["verbs"]={[""]={["POST"]={["raw"]=true,["variables"]={}}}}},["sms"]={["verbs"]={[""]={["POST"]={["raw"]=true,["variables"]={}}}}}}},["profile"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=16},["PATCH"]={["variables"]={},["body"]=17}}}},["onboarding"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=21}}}},["hobby-options"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=22}}}},["hobbies"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=23},["PUT"]={["variables"]={},["body"]=24}}}},["photos"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=26},["GET"]={["variables"]={},["query"]=28}},["reorder"]={["POST"]={["variables"]={},["body"]=30}}},["variable"]={["verbs"]={["complete"]={["POST"]={["variables"]={{"photo_id","photoId",{"s",false,false}}},["body"]=27}},[""]={["DELETE"]={["variables"]={{"photo_id","photoId",{"s",false,false}}},["query"]=29}}}}},["servers"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=31}}},["variable"]={["verbs"]={["join"]={["POST"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["body"]=33}},["leave"]={["POST"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["body"]=34}},["refresh"]={["POST"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["body"]=37}}},["fixed"]={["screen"]={["verbs"]={[""]={["GET"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["query"]=35}}}},["filters"]={["verbs"]={[""]={["GET"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["query"]=38},["PATCH"]={["variables"]={{"server_type","serverType",{"e",false,32}}},["body"]=39}}}}}}},["partners"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=36}}},["fixed"]={["names"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=89}}}}}},["phone-verifications"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=41}}},["variable"]={["verbs"]={["verify"]={["POST"]={["variables"]={{"challenge_id","challengeId",{"s",false,false}}},["body"]=42}},["reopen"]={["POST"]={["variables"]={{"challenge_id","challengeId",{"s",false,false}}},["body"]=43}},["recover"]={["POST"]={["variables"]={{"challenge_id","challengeId",{"s",false,false}}},["body"]=44}},["startRecoveryCheck"]={["POST"]={["variables"]={{"challenge_id","challengeId",{"s",false,false}}},["body"]=47}}}}},["sessions"]={["verbs"]={["refresh"]={["POST"]={["variables"]={},["body"]=48}},[""]={["GET"]={["variables"]={},["query"]=50}},["revokeOthers"]={["POST"]={["variables"]={},["body"]=52}}},["variable"]={["verbs"]={["revoke"]={["POST"]={["variables"]={{"session_id","sessionId",{"s",false,false}}},["body"]=51}}}}},["phone-changes"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=53}}},["variable"]={["verbs"]={["complete"]={["POST"]={["variables"]={{"challenge_id","challengeId",{"s",false,false}}},["body"]=54}}}}},["account"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=55}},["pause"]={["POST"]={["variables"]={},["body"]=56}},["resume"]={["POST"]={["variables"]={},["body"]=57}},["close"]={["POST"]={["variables"]={},["body"]=58}}}},["devices"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=59},["GET"]={["variables"]={},["query"]=62}}},["variable"]={["verbs"]={[""]={["DELETE"]={["variables"]={{"device_id","deviceId",{"s",false,false}}},["query"]=61}}}}},["notification-settings"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=63},["PUT"]={["variables"]={},["body"]=64}}}},["exports"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=68}}}},["export"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=69}}}},["places"]={["verbs"]={["search"]={["GET"]={["variables"]={},["query"]=70}}}},["verification"]={["fixed"]={["oauth"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=71}}}},["gov-id"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=72}}}},["signals"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=73}}}}}},["interests"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=74},["GET"]={["variables"]={},["query"]=76}}},["variable"]={["verbs"]={["withdraw"]={["POST"]={["variables"]={{"interest_id","interestId",{"s",false,false}}},["body"]=75}}}}},["inventory"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=77}}}},["connections"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=78}}},["variable"]={["verbs"]={[""]={["GET"]={["variables"]={{"connection_id","connectionId",{"s",false,false}}},["query"]=79}},["end"]={["POST"]={["variables"]={{"connection_id","connectionId",{"s",false,false}}},["body"]=80}}}}},["personality"]={["fixed"]={["questions"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=82}}}},["answers"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=83},["GET"]={["variables"]={},["query"]=86}}},["variable"]={["verbs"]={["withdraw"]={["POST"]={["variables"]={{"question_id","questionId",{"i",false,false}}},["body"]=85}}}}}}},["streaks"]={["variable"]={["fixed"]={["reveals"]={["verbs"]={[""]={["GET"]={["variables"]={{"streak_id","streakId",{"s",false,false}}},["query"]=87}}},["variable"]={["verbs"]={["open"]={["POST"]={["variables"]={{"streak_id","streakId",{"s",false,false}},{"reveal_number","revealNumber",{"i",false,false}}},["body"]=88}}}}},["nudges"]={["verbs"]={[""]={["GET"]={["variables"]={{"streak_id","streakId",{"s",false,false}}},["query"]=115}}}}},["verbs"]={[""]={["GET"]={["variables"]={{"streak_id","streakId",{"s",false,false}}},["query"]=111}},["checkIn"]={["POST"]={["variables"]={{"streak_id","streakId",{"s",false,false}}},["body"]=112}},["nudge"]={["POST"]={["variables"]={{"streak_id","streakId",{"s",false,false}}},["body"]=114}}}}},["moderation"]={["fixed"]={["cases"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=90}}},["variable"]={["verbs"]={["assign"]={["POST"]={["variables"]={{"case_id","caseId",{"s",false,false}}},["body"]=92}},["decide"]={["POST"]={["variables"]={{"case_id","caseId",{"s",false,false}}},["body"]=93}}}}},["flags"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=95}}}},["members"]={["variable"]={["verbs"]={[""]={["GET"]={["variables"]={{"user_id","userId",{"s",false,false}}},["query"]=97}}}}}}},["audit"]={["fixed"]={["logs"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=98}}}}},["verbs"]={["verify"]={["GET"]={["variables"]={},["query"]=99}}}},["blocks"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=100},["GET"]={["variables"]={},["query"]=103}}},["variable"]={["verbs"]={["unblock"]={["POST"]={["variables"]={{"block_id","blockId",{"s",false,false}}},["body"]=102}}}}},["reports"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=104},["GET"]={["variables"]={},["query"]=107}}}},["safety"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=106}}}},["appeals"]={["verbs"]={[""]={["POST"]={["variables"]={},["body"]=108},["GET"]={["variables"]={},["query"]=109}}}},["dashboard"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=110}}}},["history"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=116}}}}}},[".well-known"]={["fixed"]={["jwks.json"]={["verbs"]={[""]={["GET"]={["variables"]={},["query"]=49}}}}}}}}

local METHODS = {["/unora.billing.v1.BillingService/ListPlans"]=true,["/unora.billing.v1.BillingService/GetSubscription"]=true,["/unora.billing.v1.BillingService/Subscribe"]=true,["/unora.billing.v1.BillingService/CancelSubscription"]=true,["/unora.billing.v1.BillingService/CreatePayment"]=true,["/unora.billing.v1.BillingService/GetQuote"]=true,["/unora.billing.v1.BillingService/GetPayment"]=true,["/unora.billing.v1.BillingService/ListPayments"]=true,["/unora.billing.v1.BillingService/GetCredits"]=true,["/unora.billing.v1.BillingService/ListCreditEntries"]=true,["/unora.billing.v1.WalletService/GetWallet"]=true,["/unora.billing.v1.WebhookService/ReceiveProviderEvent"]=true,["/unora.identity.v1.ProfileService/GetProfile"]=true,["/unora.identity.v1.ProfileService/UpdateProfile"]=true,["/unora.identity.v1.ProfileService/GetOnboarding"]=true,["/unora.identity.v1.ProfileService/ListHobbyOptions"]=true,["/unora.identity.v1.ProfileService/ListHobbies"]=true,["/unora.identity.v1.ProfileService/SetHobbies"]=true,["/unora.identity.v1.ProfileService/CreatePhotoUpload"]=true,["/unora.identity.v1.ProfileService/CompletePhotoUpload"]=true,["/unora.identity.v1.ProfileService/ListPhotos"]=true,["/unora.identity.v1.ProfileService/DeletePhoto"]=true,["/unora.identity.v1.ProfileService/ReorderPhotos"]=true,["/unora.discovery.v1.DiscoveryService/ListServers"]=true,["/unora.discovery.v1.DiscoveryService/JoinServer"]=true,["/unora.discovery.v1.DiscoveryService/LeaveServer"]=true,["/unora.discovery.v1.DiscoveryService/GetScreen"]=true,["/unora.discovery.v1.DiscoveryService/ListPartnerCards"]=true,["/unora.discovery.v1.DiscoveryService/RefreshBatch"]=true,["/unora.discovery.v1.DiscoveryService/GetFilters"]=true,["/unora.discovery.v1.DiscoveryService/UpdateFilters"]=true,["/unora.identity.v1.AccountService/StartPhoneVerification"]=true,["/unora.identity.v1.AccountService/VerifyPhone"]=true,["/unora.identity.v1.AccountService/ReopenAccount"]=true,["/unora.identity.v1.AccountService/RecoverAccount"]=true,["/unora.identity.v1.AccountService/StartRecoveryCheck"]=true,["/unora.identity.v1.AccountService/RefreshSession"]=true,["/unora.identity.v1.AccountService/GetJwks"]=true,["/unora.identity.v1.AccountService/ListSessions"]=true,["/unora.identity.v1.AccountService/RevokeSession"]=true,["/unora.identity.v1.AccountService/RevokeOtherSessions"]=true,["/unora.identity.v1.AccountService/StartPhoneChange"]=true,["/unora.identity.v1.AccountService/ChangePhone"]=true,["/unora.identity.v1.AccountService/GetAccount"]=true,["/unora.identity.v1.AccountService/PauseAccount"]=true,["/unora.identity.v1.AccountService/ResumeAccount"]=true,["/unora.identity.v1.AccountService/CloseAccount"]=true,["/unora.identity.v1.DeviceService/RegisterDevice"]=true,["/unora.identity.v1.DeviceService/UnregisterDevice"]=true,["/unora.identity.v1.DeviceService/ListDevices"]=true,["/unora.identity.v1.DeviceService/GetNotificationSettings"]=true,["/unora.identity.v1.DeviceService/UpdateNotificationSettings"]=true,["/unora.identity.v1.ExportService/ExportAccount"]=true,["/unora.identity.v1.ExportService/GetExport"]=true,["/unora.identity.v1.PlaceService/SearchPlaces"]=true,["/unora.identity.v1.VerificationService/LinkOAuth"]=true,["/unora.identity.v1.VerificationService/StartGovId"]=true,["/unora.identity.v1.VerificationService/ReceiveGovIdResult"]=true,["/unora.identity.v1.VerificationService/ListSignals"]=true,["/unora.identity.v1.WebhookService/ReceiveSmsStatus"]=true,["/unora.matching.v1.MatchingService/SendInterest"]=true,["/unora.matching.v1.MatchingService/WithdrawInterest"]=true,["/unora.matching.v1.MatchingService/ListSentInterests"]=true,["/unora.matching.v1.MatchingService/GetInventory"]=true,["/unora.matching.v1.MatchingService/ListConnections"]=true,["/unora.matching.v1.MatchingService/GetConnection"]=true,["/unora.matching.v1.MatchingService/EndConnection"]=true,["/unora.reveal.v1.PersonalityService/ListQuestions"]=true,["/unora.reveal.v1.PersonalityService/SubmitAnswers"]=true,["/unora.reveal.v1.PersonalityService/WithdrawAnswer"]=true,["/unora.reveal.v1.PersonalityService/ListMyAnswers"]=true,["/unora.reveal.v1.RevealService/ListReveals"]=true,["/unora.reveal.v1.RevealService/OpenReveal"]=true,["/unora.reveal.v1.RevealService/ListPartnerNames"]=true,["/unora.safety.v1.ModerationService/ListCases"]=true,["/unora.safety.v1.ModerationService/AssignCase"]=true,["/unora.safety.v1.ModerationService/DecideCase"]=true,["/unora.safety.v1.ModerationService/ListFlags"]=true,["/unora.safety.v1.ModerationService/ExplainMember"]=true,["/unora.safety.v1.ModerationService/SearchAuditLog"]=true,["/unora.safety.v1.ModerationService/VerifyAuditChain"]=true,["/unora.safety.v1.SafetyService/BlockUser"]=true,["/unora.safety.v1.SafetyService/UnblockUser"]=true,["/unora.safety.v1.SafetyService/ListBlocks"]=true,["/unora.safety.v1.SafetyService/ReportUser"]=true,["/unora.safety.v1.SafetyService/GetSafetyCentre"]=true,["/unora.safety.v1.SafetyService/ListReports"]=true,["/unora.safety.v1.SafetyService/SubmitAppeal"]=true,["/unora.safety.v1.SafetyService/ListAppeals"]=true,["/unora.streak.v1.StreakService/GetDashboard"]=true,["/unora.streak.v1.StreakService/GetStreak"]=true,["/unora.streak.v1.StreakService/CheckIn"]=true,["/unora.streak.v1.StreakService/SendNudge"]=true,["/unora.streak.v1.StreakService/ListNudges"]=true,["/unora.streak.v1.StreakService/GetHistory"]=true}

local PAGES = {}

local PASSED_HEADERS = {[":method"]=true,[":path"]=true,[":authority"]=true,[":scheme"]=true,[":protocol"]=true,["content-type"]=true,["content-length"]=true,["transfer-encoding"]=true,["x-forwarded-proto"]=true,["te"]=true,["grpc-encoding"]=true,["grpc-accept-encoding"]=true,["grpc-timeout"]=true,["x-grpc-web"]=true,["accept"]=true,["origin"]=true,["authorization"]=true,["stripe-signature"]=true,["unora-gov-id-signature"]=true,["x-twilio-signature"]=true}

local REFUSALS = {["PATH_UNKNOWN"]={["code"]="NOT_FOUND",["number"]=5,["http"]=404,["sentence"]="There is nothing at this address.",["metadata"]={},["details"]="CAUSDFBBVEhfVU5LTk9XThpJCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEh0KDFBBVEhfVU5LTk9XThINdW5vcmEuZ2F0ZXdheRpaCi90eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuTG9jYWxpemVkTWVzc2FnZRInCgJlbhIhVGhlcmUgaXMgbm90aGluZyBhdCB0aGlzIGFkZHJlc3Mu"},["VERB_UNKNOWN"]={["code"]="UNIMPLEMENTED",["number"]=12,["http"]=405,["sentence"]="This address is not called in this way.",["metadata"]={},["details"]="CAwSDFZFUkJfVU5LTk9XThpJCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEh0KDFZFUkJfVU5LTk9XThINdW5vcmEuZ2F0ZXdheRpgCi90eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuTG9jYWxpemVkTWVzc2FnZRItCgJlbhInVGhpcyBhZGRyZXNzIGlzIG5vdCBjYWxsZWQgaW4gdGhpcyB3YXku"},["METHOD_UNKNOWN"]={["code"]="UNIMPLEMENTED",["number"]=12,["http"]=501,["sentence"]="There is no such method.",["metadata"]={},["details"]="CAwSDk1FVEhPRF9VTktOT1dOGksKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SHwoOTUVUSE9EX1VOS05PV04SDXVub3JhLmdhdGV3YXkaUQovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USHgoCZW4SGFRoZXJlIGlzIG5vIHN1Y2ggbWV0aG9kLg"},["MEDIA_TYPE_UNSUPPORTED"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=415,["sentence"]="What you sent is of a kind that cannot be read.",["metadata"]={},["details"]="CAMSFk1FRElBX1RZUEVfVU5TVVBQT1JURUQaUwoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxInChZNRURJQV9UWVBFX1VOU1VQUE9SVEVEEg11bm9yYS5nYXRld2F5GmgKL3R5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5Mb2NhbGl6ZWRNZXNzYWdlEjUKAmVuEi9XaGF0IHlvdSBzZW50IGlzIG9mIGEga2luZCB0aGF0IGNhbm5vdCBiZSByZWFkLg"},["JSON_INVALID"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="What you sent cannot be read.",["metadata"]={},["details"]="CAMSDEpTT05fSU5WQUxJRBpJCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEh0KDEpTT05fSU5WQUxJRBINdW5vcmEuZ2F0ZXdheRpWCi90eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuTG9jYWxpemVkTWVzc2FnZRIjCgJlbhIdV2hhdCB5b3Ugc2VudCBjYW5ub3QgYmUgcmVhZC4"},["FIELD_UNKNOWN"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="Some of what you sent is not known here.",["metadata"]={},["details"]="CAMSDUZJRUxEX1VOS05PV04aSgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxIeCg1GSUVMRF9VTktOT1dOEg11bm9yYS5nYXRld2F5GmEKL3R5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5Mb2NhbGl6ZWRNZXNzYWdlEi4KAmVuEihTb21lIG9mIHdoYXQgeW91IHNlbnQgaXMgbm90IGtub3duIGhlcmUu"},["QUERY_PARAMETER_UNKNOWN"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="Some of what you sent is not known here.",["metadata"]={},["details"]="CAMSF1FVRVJZX1BBUkFNRVRFUl9VTktOT1dOGlQKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SKAoXUVVFUllfUEFSQU1FVEVSX1VOS05PV04SDXVub3JhLmdhdGV3YXkaYQovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USLgoCZW4SKFNvbWUgb2Ygd2hhdCB5b3Ugc2VudCBpcyBub3Qga25vd24gaGVyZS4"},["BODY_UNEXPECTED"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="What you sent cannot be read.",["metadata"]={},["details"]="CAMSD0JPRFlfVU5FWFBFQ1RFRBpMCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEiAKD0JPRFlfVU5FWFBFQ1RFRBINdW5vcmEuZ2F0ZXdheRpWCi90eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuTG9jYWxpemVkTWVzc2FnZRIjCgJlbhIdV2hhdCB5b3Ugc2VudCBjYW5ub3QgYmUgcmVhZC4"},["REQUEST_MALFORMED"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="What you sent cannot be read.",["metadata"]={},["details"]="CAMSEVJFUVVFU1RfTUFMRk9STUVEGk4KKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SIgoRUkVRVUVTVF9NQUxGT1JNRUQSDXVub3JhLmdhdGV3YXkaVgovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USIwoCZW4SHVdoYXQgeW91IHNlbnQgY2Fubm90IGJlIHJlYWQu"},["BODY_TOO_LARGE"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=413,["sentence"]="What you sent is too large.",["metadata"]={},["details"]="CAMSDkJPRFlfVE9PX0xBUkdFGksKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SHwoOQk9EWV9UT09fTEFSR0USDXVub3JhLmdhdGV3YXkaVAovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USIQoCZW4SG1doYXQgeW91IHNlbnQgaXMgdG9vIGxhcmdlLg"},["HEADERS_TOO_LARGE"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=431,["sentence"]="What you sent is too large.",["metadata"]={},["details"]="CAMSEUhFQURFUlNfVE9PX0xBUkdFGk4KKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SIgoRSEVBREVSU19UT09fTEFSR0USDXVub3JhLmdhdGV3YXkaVAovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USIQoCZW4SG1doYXQgeW91IHNlbnQgaXMgdG9vIGxhcmdlLg"},["REQUEST_SLOW"]={["code"]="DEADLINE_EXCEEDED",["number"]=4,["http"]=408,["sentence"]="What you sent did not arrive in time. Try again.",["metadata"]={},["details"]="CAQSDFJFUVVFU1RfU0xPVxpJCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEh0KDFJFUVVFU1RfU0xPVxINdW5vcmEuZ2F0ZXdheRppCi90eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuTG9jYWxpemVkTWVzc2FnZRI2CgJlbhIwV2hhdCB5b3Ugc2VudCBkaWQgbm90IGFycml2ZSBpbiB0aW1lLiBUcnkgYWdhaW4u"},["INVALID_ARGUMENT"]={["code"]="INVALID_ARGUMENT",["number"]=3,["http"]=400,["sentence"]="Some of what you sent cannot be accepted.",["metadata"]={},["details"]="CAMSEElOVkFMSURfQVJHVU1FTlQaTQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxIhChBJTlZBTElEX0FSR1VNRU5UEg11bm9yYS5nYXRld2F5GmIKL3R5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5Mb2NhbGl6ZWRNZXNzYWdlEi8KAmVuEilTb21lIG9mIHdoYXQgeW91IHNlbnQgY2Fubm90IGJlIGFjY2VwdGVkLg"},["TOO_MANY_CALLS"]={["code"]="RESOURCE_EXHAUSTED",["number"]=8,["http"]=429,["sentence"]="That was too fast. Wait a moment, then try again.",["metadata"]={["retry_after"]="1"},["details"]="CAgSDlRPT19NQU5ZX0NBTExTGl0KKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SMQoOVE9PX01BTllfQ0FMTFMSDXVub3JhLmdhdGV3YXkaEAoLcmV0cnlfYWZ0ZXISATEaagovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USNwoCZW4SMVRoYXQgd2FzIHRvbyBmYXN0LiBXYWl0IGEgbW9tZW50LCB0aGVuIHRyeSBhZ2Fpbi4aMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAQ"},["DEPENDENCY_UNAVAILABLE"]={["code"]="UNAVAILABLE",["number"]=14,["http"]=503,["sentence"]="This is not possible at the moment. Try again in a moment.",["metadata"]={},["details"]="CA4SFkRFUEVOREVOQ1lfVU5BVkFJTEFCTEUaUwoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxInChZERVBFTkRFTkNZX1VOQVZBSUxBQkxFEg11bm9yYS5nYXRld2F5GnMKL3R5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5Mb2NhbGl6ZWRNZXNzYWdlEkAKAmVuEjpUaGlzIGlzIG5vdCBwb3NzaWJsZSBhdCB0aGUgbW9tZW50LiBUcnkgYWdhaW4gaW4gYSBtb21lbnQu"},["DEADLINE_EXCEEDED"]={["code"]="DEADLINE_EXCEEDED",["number"]=4,["http"]=504,["sentence"]="This took too long. Try again.",["metadata"]={},["details"]="CAQSEURFQURMSU5FX0VYQ0VFREVEGk4KKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SIgoRREVBRExJTkVfRVhDRUVERUQSDXVub3JhLmdhdGV3YXkaVwovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USJAoCZW4SHlRoaXMgdG9vayB0b28gbG9uZy4gVHJ5IGFnYWluLg"},["INTERNAL"]={["code"]="INTERNAL",["number"]=13,["http"]=500,["sentence"]="Something went wrong. It is not your fault.",["metadata"]={},["details"]="CA0SCElOVEVSTkFMGkUKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5FcnJvckluZm8SGQoISU5URVJOQUwSDXVub3JhLmdhdGV3YXkaZAovdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkxvY2FsaXplZE1lc3NhZ2USMQoCZW4SK1NvbWV0aGluZyB3ZW50IHdyb25nLiBJdCBpcyBub3QgeW91ciBmYXVsdC4"}}

local OF_STATUS = {[400]="REQUEST_MALFORMED",[404]="PATH_UNKNOWN",[408]="REQUEST_SLOW",[413]="BODY_TOO_LARGE",[415]="MEDIA_TYPE_UNSUPPORTED",[429]="TOO_MANY_CALLS",[431]="HEADERS_TOO_LARGE",[502]="DEPENDENCY_UNAVAILABLE",[503]="DEPENDENCY_UNAVAILABLE",[504]="DEADLINE_EXCEEDED"}

local MILLISECONDS = {["default"]=10000,["longest"]=60000}

local CODES = {[0]="OK",[1]="CANCELLED",[2]="UNKNOWN",[3]="INVALID_ARGUMENT",[4]="DEADLINE_EXCEEDED",[5]="NOT_FOUND",[6]="ALREADY_EXISTS",[7]="PERMISSION_DENIED",[16]="UNAUTHENTICATED",[8]="RESOURCE_EXHAUSTED",[9]="FAILED_PRECONDITION",[10]="ABORTED",[11]="OUT_OF_RANGE",[12]="UNIMPLEMENTED",[13]="INTERNAL",[14]="UNAVAILABLE",[15]="DATA_LOSS"}

local HTTP_OF = {["0"]=200,["1"]=499,["2"]=500,["3"]=400,["4"]=504,["5"]=404,["6"]=409,["7"]=403,["8"]=429,["9"]=400,["10"]=409,["11"]=400,["12"]=404,["13"]=400,["14"]=503,["15"]=500,["16"]=401}

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
