-- Stands in for Jitsi's components for moderation and room metadata, which Debian does not package.
--
--   on a virtual host  -> announces the components in `room_services` ({ type = address })
--   as a component     -> passes every <json-message/> on to the address in its attribute `to_focus`,
--                         from its own address: what it says is up to the test

local st = require "util.stanza";

if module:get_host_type() == "component" then
	module:hook("message/host", function(event)
		local json = event.stanza:get_child("json-message", "http://jitsi.org/jitmeet");
		if json and json.attr.to_focus then
			local message = st.message({ from = module.host, to = json.attr.to_focus })
				:tag("json-message", { xmlns = "http://jitsi.org/jitmeet", room = json.attr.room })
				:text(json:get_text() or "");
			module:send(message);
		end
		return true;
	end);
else
	for kind, address in pairs(module:get_option("room_services", {})) do
		module:add_identity("component", kind, address);
	end
end
