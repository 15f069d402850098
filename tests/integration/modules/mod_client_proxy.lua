-- A replica of Jitsi's mod_client_proxy for tests: the same observable rewriting, written from its
-- behaviour. `Component "focus.example" "client_proxy"` with `target_address = "focus@auth.example"`.
--
--   IQ get/set to the component   -> an available resource of the target, chosen at random;
--                                    from = component/ORIGINAL-FULL-JID
--   IQ result/error of the target -> ORIGINAL-FULL-JID (the resource part of `to`); from = component
--   IQ get/set of the target      -> refused: feature-not-implemented
--   presence of the target        -> its resource is (un)registered; of others: bad-request
--   messages                      -> refused: feature-not-implemented
--   nobody registered             -> service-unavailable

local jid = require "util.jid";
local st = require "util.stanza";

local target = assert(module:get_option_string("target_address"), "target_address is missing");
local resources = {};

local function refuse(origin, stanza, kind, condition)
	if stanza.attr.type ~= "error" then
		origin.send(st.error_reply(stanza, kind, condition));
	end
	return true;
end

local function register(resource)
	for _, known in ipairs(resources) do
		if known == resource then return; end
	end
	table.insert(resources, resource);
end

local function unregister(resource)
	for index, known in ipairs(resources) do
		if known == resource then
			table.remove(resources, index);
			return;
		end
	end
end

module:hook("iq/host", function (event)
	local origin, stanza = event.origin, event.stanza;
	local from_target = jid.bare(stanza.attr.from) == target;
	local kind = stanza.attr.type;
	if kind == "get" or kind == "set" then
		if from_target then
			return refuse(origin, stanza, "cancel", "feature-not-implemented");
		elseif #resources == 0 then
			return refuse(origin, stanza, "cancel", "service-unavailable");
		end
		local forwarded = st.clone(stanza);
		forwarded.attr.from = module.host .. "/" .. stanza.attr.from;
		forwarded.attr.to = target .. "/" .. resources[math.random(#resources)];
		module:send(forwarded);
		return true;
	end
	local _, _, original = jid.split(stanza.attr.to);
	if from_target and original then
		local forwarded = st.clone(stanza);
		forwarded.attr.from = module.host;
		forwarded.attr.to = original;
		module:send(forwarded);
	end
	return true;
end, 10);

module:hook("presence/host", function (event)
	local origin, stanza = event.origin, event.stanza;
	local bare, resource = jid.bare(stanza.attr.from), select(3, jid.split(stanza.attr.from));
	if bare ~= target then
		return refuse(origin, stanza, "modify", "bad-request");
	end
	local kind = stanza.attr.type;
	if kind == "error" then
		resources = {};
	elseif kind == "unavailable" and resource then
		unregister(resource);
	elseif kind == nil and resource then
		register(resource);
	end
	return true;
end, 10);

module:hook("message/host", function (event)
	return refuse(event.origin, event.stanza, "cancel", "feature-not-implemented");
end, 10);

local function subscribe()
	module:send(st.presence({ type = "subscribe", from = module.host, to = target }));
end

if prosody.start_time then
	subscribe();
else
	module:hook_global("server-started", subscribe);
end
