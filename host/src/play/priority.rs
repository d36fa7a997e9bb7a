//! Real-time scheduling for the audio threads that nobody else schedules.

/// What our own audio thread asks for: below the servers (JACK runs at 60 to 70 and up), above the rest.
pub(crate) const PRIORITY: u8 = 55;

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
    let take = |priority: u8| {
        ThreadPriorityValue::try_from(priority).is_ok_and(|priority| {
            set_thread_priority_and_policy(
                thread_native_id(),
                ThreadPriority::Crossplatform(priority),
                ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
            )
            .is_ok()
        })
    };
    // Where less is allowed, less is taken: any real-time priority is above the rest of the machine.
    take(PRIORITY) || lower_limit().is_some_and(take)
}

/// What the limit allows, if that is something, but less than [`PRIORITY`].
#[cfg(target_os = "linux")]
fn lower_limit() -> Option<u8> {
    use nix::sys::resource::Resource;
    use nix::sys::resource::getrlimit;

    let (limit, _) = getrlimit(Resource::RLIMIT_RTPRIO).ok()?;
    below_ours(limit)
}

#[cfg(target_os = "linux")]
fn below_ours(limit: u64) -> Option<u8> {
    u8::try_from(limit)
        .ok()
        .filter(|limit| (1..PRIORITY).contains(limit))
}

/// `[audio]` Elsewhere the system's audio interface schedules its callback threads itself.
#[cfg(not(target_os = "linux"))]
pub(super) fn make_realtime() -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_lower_limit_is_taken_and_a_higher_one_does_not_raise_us() {
        let tries = [0, 1, 20, 54, 55, 95, u64::MAX].map(below_ours);
        assert_eq!(tries, [None, Some(1), Some(20), Some(54), None, None, None]);
    }
}
