-- For Ardour's `ardour7-lua`: a session of a track with a sine and the strip behind it, whose gain is automated
-- by touch.

local folder = os.getenv ("HEADROOM_FOLDER")

local backend = AudioEngine:set_backend ("None (Dummy)", "", "")
backend:set_sample_rate (48000)
backend:set_buffer_size (1024)

local session = create_session (folder, "session", 48000)
assert (session)
local order = ARDOUR.PresentationInfo.max_order
local track = session:new_audio_track (2, 2, nil, 1, "sine", order, ARDOUR.TrackMode.Normal, true):front ()
local sine = ARDOUR.LuaAPI.new_luaproc (session, "SinGen")
assert (not sine:isnil () and track:add_processor_by_index (sine, 0, nil, true) == 0)
local processor = ARDOUR.LuaAPI.new_plugin (session, "48656164726F6F6D5374726970467831", ARDOUR.PluginType.VST3, "Strip")
assert (not processor:isnil (), "Ardour does not know the plugin")
assert (track:add_processor_by_index (processor, 1, nil, true) == 0)

local plugin = processor:to_insert ():plugin (0)
for at = 0, plugin:parameter_count () - 1 do
	if plugin:parameter_label (at) == "Gain Gain" then
		local parameter = Evoral.Parameter (ARDOUR.AutomationType.PluginAutomation, 0, at)
		local control = processor:to_automatable ():automation_control (parameter, true)
		control:set_automation_state (ARDOUR.AutoState.Touch)
		print ("gain is parameter-" .. at .. " at " .. control:get_value ())
	end
end
session:save_state ("", false, false, false, false, false)
print ("saved")
close_session ()
quit ()
