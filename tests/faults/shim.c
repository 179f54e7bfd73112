/* Stands between a program and libc (LD_PRELOAD) and sees what the program
 * changes below one directory.
 *
 *   SHIM_ROOT   the directory, absolute and without links; without it
 *                      everything passes
 *   SHIM_LOG    a file to which every change is appended, in the order in
 *                      which the changes were made
 *   SHIM_FAULT  KIND:N:HOW, the nth change of a kind fails: KIND is the
 *                      name of an enum value below in lower case, HOW is `eio`,
 *                      `enospc` or `torn` (half of a write is made, then EIO)
 *   SHIM_BELOW  only changes of this directory below the root count
 *   SHIM_FIRED  a file that is made when the fault was made
 *
 * The program adds records of its own (marks) by writing to the path
 * /lamina-shim-mark; one write is one record.
 *
 * A change that a program makes by a raw system call is not seen. One lock is
 * held around each change and its record, so that their order is the true one.
 *
 * A record, numbers little-endian: 4 bytes length of what follows, 1 byte kind,
 * 8 bytes inode, 8 bytes offset or length, 2 bytes length of a path, the path
 * (relative to the root), the same for a second path, and the rest is the bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { MARK = 1, CREATE, WRITE, TRUNCATE, RENAME, UNLINK, LINK, MKDIR, FSYNC, FDATASYNC, SYNC_FILE_RANGE, CLOSE, WRITTEN, KINDS };

static const char *const NAMES[KINDS] = {
    "", "mark", "create", "write", "truncate", "rename", "unlink", "link", "mkdir", "fsync", "fdatasync", "sync_file_range", "close", "written",
};

enum how { PASS, FAIL_EIO, FAIL_ENOSPC, TEAR };

static const char MARKS[] = "/lamina-shim-mark";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], below[PATH_MAX], fired[PATH_MAX];
static int log_fd = -1, mark_fd = -1;
static enum kind fault_kind;
static enum how fault_how;
static long fault_left;

static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_linkat)(int, const char *, int, const char *, int);
static int (*real_mkdirat)(int, const char *, mode_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_sync_file_range)(int, off_t, off_t, unsigned);

/* A set-up that cannot work must not look like one in which nothing happened. */
static void give_up(const char *what) {
    fprintf(stderr, "shim: %s\n", what);
    _exit(99);
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) give_up(name);
    return found;
}

static void read_fault(const char *text) {
    char kind[32], how[16];
    if (sscanf(text, "%31[a-z_]:%ld:%15[a-z]", kind, &fault_left, how) != 3) give_up("SHIM_FAULT is not KIND:N:HOW");
    for (int k = CREATE; k < KINDS; k++)
        if (!strcmp(kind, NAMES[k])) fault_kind = k;
    fault_how = !strcmp(how, "eio") ? FAIL_EIO : !strcmp(how, "enospc") ? FAIL_ENOSPC : !strcmp(how, "torn") ? TEAR : PASS;
    if (!fault_kind || !fault_how || fault_left < 1) give_up("SHIM_FAULT names no fault");
}

static int set(char *to, const char *variable) {
    const char *value = getenv(variable);
    if (!value || strlen(value) >= PATH_MAX) return 0;
    strcpy(to, value);
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    real_openat = next("openat64");
    real_close = next("close");
    real_write = next("write");
    real_pwrite = next("pwrite64");
    real_writev = next("writev");
    real_pwritev = next("pwritev64");
    real_ftruncate = next("ftruncate64");
    real_renameat2 = next("renameat2");
    real_unlinkat = next("unlinkat");
    real_linkat = next("linkat");
    real_mkdirat = next("mkdirat");
    real_fsync = next("fsync");
    real_fdatasync = next("fdatasync");
    real_sync_file_range = next("sync_file_range");
    char log[PATH_MAX];
    if (!set(root, "SHIM_ROOT")) return;
    set(below, "SHIM_BELOW");
    set(fired, "SHIM_FIRED");
    if (set(log, "SHIM_LOG")) {
        log_fd = real_openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0) give_up("SHIM_LOG cannot be opened");
    }
    if (getenv("SHIM_FAULT")) read_fault(getenv("SHIM_FAULT"));
}

/* The path relative to the root, or NULL when it is not below it. */
static const char *inside(const char *path) {
    size_t length = strlen(root);
    if (!length || strncmp(path, root, length)) return NULL;
    if (!path[length]) return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

/* Where a descriptor leads, as a path relative to the root. */
static const char *of_fd(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return inside(buffer);
}

/* Where a name leads. A path that is relative to the working directory is nobody's here. */
static const char *of_name(int dir, const char *path, char *buffer) {
    if (!path || !root[0]) return NULL;
    if (path[0] == '/') {
        if (snprintf(buffer, PATH_MAX, "%s", path) >= PATH_MAX) return NULL;
        return inside(buffer);
    }
    if (dir == AT_FDCWD || !of_fd(dir, buffer)) return NULL;
    size_t length = strlen(buffer);
    if (snprintf(buffer + length, PATH_MAX - length, "/%s", path) >= (int)(PATH_MAX - length)) return NULL;
    return inside(buffer);
}

static uint64_t inode(int fd) {
    struct stat stat;
    return fstat(fd, &stat) ? 0 : stat.st_ino;
}

static char *add(char *at, const void *bytes, size_t length) {
    memcpy(at, bytes, length);
    return at + length;
}

static char *add_path(char *at, const char *path) {
    uint16_t length = path ? strlen(path) : 0;
    at = add(at, &length, 2);
    return path ? add(at, path, length) : at;
}

/* Appends a record; the lock is held. */
static void record(enum kind kind, uint64_t id, uint64_t number, const char *path, const char *second, const void *bytes, size_t length) {
    if (log_fd < 0) return;
    size_t size = 4 + 1 + 8 + 8 + 2 + (path ? strlen(path) : 0) + 2 + (second ? strlen(second) : 0) + length;
    char *buffer = malloc(size);
    if (!buffer) give_up("out of memory");
    uint32_t rest = size - 4;
    uint8_t tag = kind;
    char *at = add(buffer, &rest, 4);
    at = add(at, &tag, 1);
    at = add(at, &id, 8);
    at = add(at, &number, 8);
    at = add_path(at, path);
    at = add_path(at, second);
    if (length) add(at, bytes, length);
    if (real_write(log_fd, buffer, size) != (ssize_t)size) give_up("the log cannot be written");
    free(buffer);
}

/* Whether this change is the one that fails; the lock is held. */
static enum how verdict(enum kind kind, const char *path) {
    if (kind != fault_kind || fault_left < 1) return PASS;
    size_t length = strlen(below);
    if (length && (strncmp(path, below, length) || (path[length] && path[length] != '/'))) return PASS;
    if (--fault_left) return PASS;
    if (fired[0]) real_close(real_openat(AT_FDCWD, fired, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    return fault_how;
}

/* Fails with what was chosen. */
static int failed(enum how how) {
    errno = how == FAIL_ENOSPC ? ENOSPC : EIO;
    return -1;
}

/* Directories and names. */

static int open_in(int dir, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    if (path && !strcmp(path, MARKS) && root[0]) {
        pthread_mutex_lock(&lock);
        int fd = real_openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC);
        mark_fd = fd;
        pthread_mutex_unlock(&lock);
        return fd;
    }
    const char *name = flags & (O_CREAT | O_TRUNC) ? of_name(dir, path, buffer) : NULL;
    if (!name) return real_openat(dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat stat;
    int is_there = !fstatat(dir, path, &stat, 0);
    int changes = !is_there || (flags & O_TRUNC && stat.st_size);
    enum kind kind = is_there ? TRUNCATE : CREATE;
    enum how how = changes ? verdict(kind, name) : PASS;
    int fd = how ? failed(how) : real_openat(dir, path, flags, mode);
    if (fd >= 0 && changes) record(kind, inode(fd), 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN_MODE(flags)                          \
    mode_t mode = 0;                              \
    if (flags & (O_CREAT | __O_TMPFILE)) {        \
        va_list arguments;                        \
        va_start(arguments, flags);               \
        mode = va_arg(arguments, mode_t);         \
        va_end(arguments);                        \
    }

int open(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_in(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_in(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_in(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_in(dir, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return open_in(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_in(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char *old = of_name(from_dir, from, from_buffer), *new = of_name(to_dir, to, to_buffer);
    if (!old || !new) return real_renameat2(from_dir, from, to_dir, to, flags);
    pthread_mutex_lock(&lock);
    enum how how = verdict(RENAME, new);
    int result = how ? failed(how) : real_renameat2(from_dir, from, to_dir, to, flags);
    if (!result) record(RENAME, 0, 0, old, new, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char *old = of_name(from_dir, from, from_buffer), *new = of_name(to_dir, to, to_buffer);
    if (!old || !new) return real_linkat(from_dir, from, to_dir, to, flags);
    pthread_mutex_lock(&lock);
    enum how how = verdict(LINK, new);
    int result = how ? failed(how) : real_linkat(from_dir, from, to_dir, to, flags);
    if (!result) record(LINK, 0, 0, old, new, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int dir, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *name = of_name(dir, path, buffer);
    if (!name) return real_unlinkat(dir, path, flags);
    pthread_mutex_lock(&lock);
    enum how how = verdict(UNLINK, name);
    int result = how ? failed(how) : real_unlinkat(dir, path, flags);
    if (!result) record(UNLINK, 0, 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int dir, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = of_name(dir, path, buffer);
    if (!name) return real_mkdirat(dir, path, mode);
    pthread_mutex_lock(&lock);
    enum how how = verdict(MKDIR, name);
    int result = how ? failed(how) : real_mkdirat(dir, path, mode);
    if (!result) record(MKDIR, 0, 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Contents. */

/* Writes one buffer at `offset`, or at the descriptor's own place when that is -1. */
static ssize_t write_in(int fd, const void *bytes, size_t length, off_t offset) {
    char buffer[PATH_MAX];
    int is_placed = offset >= 0;
    if (root[0] && fd == mark_fd && fd >= 0) {
        pthread_mutex_lock(&lock);
        record(MARK, 0, 0, NULL, NULL, bytes, length);
        pthread_mutex_unlock(&lock);
        return length;
    }
    const char *name = root[0] ? of_fd(fd, buffer) : NULL;
    if (!name) return is_placed ? real_pwrite(fd, bytes, length, offset) : real_write(fd, bytes, length);
    pthread_mutex_lock(&lock);
    if (!is_placed) {
        struct stat stat;
        int appends = fcntl(fd, F_GETFL) & O_APPEND;
        offset = appends && !fstat(fd, &stat) ? stat.st_size : lseek(fd, 0, SEEK_CUR);
    }
    enum how how = verdict(WRITE, name);
    size_t made = how == TEAR ? length / 2 : length;
    int flags = fcntl(fd, F_GETFL);
    /* Such a descriptor takes whole sectors only. */
    if (flags & O_DIRECT) made -= made % 512;
    ssize_t result = how && how != TEAR ? failed(how) : is_placed ? real_pwrite(fd, bytes, made, offset) : real_write(fd, bytes, made);
    int error = errno;
    if (result > 0) record(WRITE, inode(fd), offset, name, NULL, bytes, result);
    /* The disk has it now, and nothing else that was written to the file. */
    if (result == (ssize_t)length && flags & O_DSYNC) record(WRITTEN, inode(fd), 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return how == TEAR ? failed(how) : result;
}

/* Many buffers as one, so that a record and a fault are those of one change. */
static ssize_t write_joined(int fd, const struct iovec *parts, int count, off_t offset) {
    char buffer[PATH_MAX];
    if (!root[0] || (fd != mark_fd && !of_fd(fd, buffer)))
        return offset >= 0 ? real_pwritev(fd, parts, count, offset) : real_writev(fd, parts, count);
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *joined = malloc(size ? size : 1), *at = joined;
    if (!joined) give_up("out of memory");
    for (int i = 0; i < count; i++) at = add(at, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = write_in(fd, joined, size, offset);
    int error = errno;
    free(joined);
    errno = error;
    return result;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_in(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return write_in(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return write_in(fd, bytes, length, offset); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_joined(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return write_joined(fd, parts, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) { return write_joined(fd, parts, count, offset); }

int ftruncate(int fd, off_t length) {
    char buffer[PATH_MAX];
    const char *name = root[0] ? of_fd(fd, buffer) : NULL;
    if (!name) return real_ftruncate(fd, length);
    pthread_mutex_lock(&lock);
    enum how how = verdict(TRUNCATE, name);
    int result = how ? failed(how) : real_ftruncate(fd, length);
    if (!result) record(TRUNCATE, inode(fd), length, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

/* Syncs: what was promised to stay. */

static int sync_in(enum kind kind, int fd, int (*real)(int)) {
    char buffer[PATH_MAX];
    const char *name = root[0] ? of_fd(fd, buffer) : NULL;
    if (!name) return real(fd);
    pthread_mutex_lock(&lock);
    enum how how = verdict(kind, name);
    int result = how ? failed(how) : real(fd);
    if (!result) record(kind, inode(fd), 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return sync_in(FSYNC, fd, real_fsync); }
int fdatasync(int fd) { return sync_in(FDATASYNC, fd, real_fdatasync); }

int sync_file_range(int fd, off_t offset, off_t length, unsigned flags) {
    char buffer[PATH_MAX];
    const char *name = root[0] ? of_fd(fd, buffer) : NULL;
    if (!name) return real_sync_file_range(fd, offset, length, flags);
    pthread_mutex_lock(&lock);
    enum how how = verdict(SYNC_FILE_RANGE, name);
    int result = how ? failed(how) : real_sync_file_range(fd, offset, length, flags);
    if (!result) record(SYNC_FILE_RANGE, inode(fd), offset, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int close(int fd) {
    char buffer[PATH_MAX];
    if (fd == mark_fd && fd >= 0) mark_fd = -1;
    const char *name = root[0] ? of_fd(fd, buffer) : NULL;
    if (!name) return real_close(fd);
    pthread_mutex_lock(&lock);
    enum how how = verdict(CLOSE, name);
    uint64_t id = inode(fd);
    int result = real_close(fd);
    if (!result) record(CLOSE, id, 0, name, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return how ? failed(how) : result;
}
