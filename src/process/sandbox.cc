#include "process/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

namespace magpie {
namespace {

constexpr std::uint64_t kDescriptorsMax = 256;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // shadow memory counts as data and is larger than any limit
#else
constexpr bool kSanitized = false;
#endif

// What computing, threads, reading files and answering on an open socket need. Found by running every decoder and the network under
// strace, then pruned; a missing one shows as EPERM, not as a death.
constexpr int kAllowed[] = {
    // memory
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(mincore),
    // threads of this process and waiting
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_get_priority_max),
    SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getcpu),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(restart_syscall),
    // signals to itself (tgkill has its own rule)
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    // time and chance
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    // descriptors that are open, and files for reading (open and openat have their own rules)
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(fstatfs),
    SCMP_SYS(statfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fadvise64),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    // questions about itself and the machine
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit),
    SCMP_SYS(times),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
};

// No library of ours calls these; whoever does is taken over.
constexpr int kDeadly[] = {
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(bpf),
    SCMP_SYS(kexec_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
};

constexpr std::uint64_t kWriteFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | 020000000 /* __O_TMPFILE */;

struct FilterFree {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterFree>;

Result<void> limit(int resource, std::uint64_t value, std::string_view name) {
  const rlimit both{value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0) return fail_errno(name);
  return {};
}

// No limit on file size: the only files the process can write to are its inherited ones, and a log that is already longer than the
// limit would then kill it. No limit on processes: that is counted per user; the filter on clone() is exact.
Result<void> set_limits(const SandboxOptions& options) {
  MAGPIE_TRY_DO(limit(RLIMIT_CORE, 0, "core file limit"));
  MAGPIE_TRY_DO(limit(RLIMIT_NOFILE, kDescriptorsMax, "descriptor limit"));
  if (options.memory_bytes == 0 || kSanitized) return {};
  return limit(RLIMIT_DATA, options.memory_bytes, "memory limit");
}

int rules_for_lists(void* filter) {
  for (const int call : kAllowed) {
    if (const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0); error != 0) return error;
  }
  for (const int call : kDeadly) {
    if (const int error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0); error != 0) return error;
  }
  return 0;
}

int rules_with_arguments(void* filter) {
  const auto add = [&](std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments) {
    return seccomp_rule_add_array(filter, action, call, static_cast<unsigned>(arguments.size()), std::data(arguments));
  };
  const auto self = static_cast<scmp_datum_t>(::getpid());
  int error = add(SCMP_ACT_ALLOW, SCMP_SYS(open), {SCMP_A1(SCMP_CMP_MASKED_EQ, kWriteFlags, 0)});
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(openat), {SCMP_A2(SCMP_CMP_MASKED_EQ, kWriteFlags, 0)});
  // Threads, not processes. clone3 hides its flags behind a pointer: ENOSYS makes glibc use clone.
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)});
  if (error == 0) error = add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), {});
  if (error == 0) error = add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), {});
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, self)});  // abort()
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), {SCMP_A2(SCMP_CMP_EQ, 0)});  // asking only
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)});
  if (error == 0) error = add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA)});  // newer allocators name arenas
  return error;
}

Result<void> filter_calls() {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (filter == nullptr) return fail(Code::kUnavailable, "sandbox: seccomp filter: out of memory");
  int error = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);  // threads that run already, too
  if (error == 0) error = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (error == 0) error = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree of the calls
  if (error == 0) error = rules_for_lists(filter.get());
  if (error == 0) error = rules_with_arguments(filter.get());
  if (error == 0) error = seccomp_load(filter.get());
  if (error == 0) return {};
  return fail(Code::kUnavailable, "sandbox: the kernel or container refuses seccomp ({}); allow it, or set worker.sandbox = off",
              std::strerror(-error));
}

int landlock_version() { return static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION)); }

constexpr std::uint64_t kReadRights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

void allow_reading(int rules, const fs::path& path) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return;  // a folder that is not there needs no permission
  landlock_path_beneath_attr rule{};
  rule.allowed_access = fs::is_directory(path) ? kReadRights : std::uint64_t{LANDLOCK_ACCESS_FS_READ_FILE};
  rule.parent_fd = place.get();
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

// Best effort by design: kernels before 5.13 and some containers have no landlock, and seccomp alone already forbids writing.
void hide_files(const std::vector<fs::path>& readable) {
  if (landlock_version() < 1) return;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kReadRights | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;
  const UniqueFd rules(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!rules) return;
  for (const fs::path& path : readable) allow_reading(rules.get(), path);
  ::syscall(SYS_landlock_restrict_self, rules.get(), 0);
}

}  // namespace

Result<void> enter_sandbox(const SandboxOptions& options) {
  MAGPIE_TRY_DO(set_limits(options));
  if (!options.enabled) return {};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("sandbox: no_new_privs");
  hide_files(options.readable);
  return filter_calls();
}

SandboxSupport probe_sandbox() {
  SandboxSupport support;
  std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  support.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  support.landlock = landlock_version() >= 1;
  if (!support.seccomp) {
    support.words = "this kernel or container has no seccomp: workers refuse to start unless worker.sandbox = off";
  } else if (!support.landlock) {
    support.words = "workers are locked in by seccomp; without landlock (kernel 5.13) they could still read files";
  } else {
    support.words = "workers are locked in by seccomp and landlock";
  }
  return support;
}

}  // namespace magpie
