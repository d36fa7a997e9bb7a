-- For Ardour's `ardour7-lua`: a session of a track with a sine, with or without the strip behind it, and two
-- seconds of it as a file. Nothing plays: the engine is the dummy one, and the export is freewheeling.

local folder = os.getenv ("HEADROOM_FOLDER")
local strip = os.getenv ("HEADROOM_STRIP")

local backend = AudioEngine:set_backend ("None (Dummy)", "", "")
backend:set_sample_rate (48000)
backend:set_buffer_size (512)

local session = create_session (folder .. "/" .. (strip or "dry"), "session", 48000)
assert (session)
local order = ARDOUR.PresentationInfo.max_order
local track = session:new_audio_track (2, 2, nil, 1, "sine", order, ARDOUR.TrackMode.Normal, true):front ()
local sine = ARDOUR.LuaAPI.new_luaproc (session, "SinGen")
assert (not sine:isnil () and track:add_processor_by_index (sine, 0, nil, true) == 0)

if strip then
	local processor = ARDOUR.LuaAPI.new_plugin (session, "48656164726F6F6D5374726970467831", ARDOUR.PluginType.VST3, strip)
	assert (not processor:isnil (), "Ardour does not know the plugin")
	assert (track:add_processor_by_index (processor, 1, nil, true) == 0)
	local plugin = processor:to_insert ():plugin (0)
	print ("latency " .. processor:to_insert ():signal_latency ())
	for at = 0, plugin:parameter_count () - 1 do
		print ("parameter " .. plugin:parameter_label (at))
	end
end

local export = session:simple_export ()
export:set_name (strip or "dry")
export:set_folder (folder)
export:set_range (0, 96000)
assert (export:set_preset ("9d2f3f3e-5a0c-4a3e-9f5b-2f6d1d1c7a01"))
assert (export:run_export ())
print ("exported")
close_session ()
quit ()
