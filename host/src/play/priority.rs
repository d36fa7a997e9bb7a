//! Real-time scheduling for the audio threads that nobody else schedules.

/// What our own audio thread asks for: below the servers (JACK runs at 60 to 70 and up), above the rest.
#[cfg(target_os = "linux")]
const PRIORITY: u8 = 55;

/// `[audio]` In the priming block, once: makes this thread first-in-first-out unless it already is
/// real-time. `false` when the system refuses; the sound then shares its time with everything else.
///
/// One system call on the thread itself, no D-Bus: asking a daemon would block the audio thread.
#[cfg(target_os = "linux")]
pub(super) fn make_realtime() -> bool {
    use thread_priority::RealtimeThreadSchedulePolicy;
    use thread_priority::ThreadPriority;
    use thread_priority::ThreadPriorityValue;
    use thread_priority::ThreadSchedulePolicy;
    use thread_priority::set_thread_priority_and_policy;
    use thread_priority::thread_native_id;
    use thread_priority::thread_schedule_policy;

    if let Ok(ThreadSchedulePolicy::Realtime(_)) = thread_schedule_policy() {
        return true;
    }
    let Ok(priority) = ThreadPriorityValue::try_from(PRIORITY) else {
        return false;
    };
    set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(priority),
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
    )
    .is_ok()
}

/// `[audio]` Elsewhere the system's audio interface schedules its callback threads itself.
#[cfg(not(target_os = "linux"))]
pub(super) fn make_realtime() -> bool {
    true
}
