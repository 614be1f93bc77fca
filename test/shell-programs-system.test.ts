// Programs that tell about the machine: what only reads, and every way to set something or show the environment.
import { expect, test } from "bun:test";
import { SYSTEM_PROGRAMS as TABLE } from "../src/permissions/shell/programs/system.ts";
import { approved, asked, summaries } from "./shell-programs-kit.ts";

test("asking about the machine is reading", () => {
  const lines = `
    date
    date +%Y-%m-%d
    date -u
    date -u +"%Y-%m-%dT%H:%M:%SZ"
    date -d yesterday +%F
    date -d "2 days ago"
    date -d "-1 day" +%F
    date -d @1700000000
    date --date='next friday' +%s
    date -Iseconds
    date -R
    date -r package.json
    date -r 1700000000
    date -v-1d +%F
    date -j -f %Y-%m-%d 2024-01-01 +%s
    uname
    uname -a
    uname -sr
    uname -m
    arch
    nproc
    nproc --all
    hostname
    hostname -s
    id
    id -u
    id -un
    whoami
    groups
    who
    w
    users
    tty
    uptime
    uptime -p
    free -h
    free -m
    ps
    ps aux
    ps auxww
    ps -ef
    ps -p 1
    ps -o pid,ppid,cmd
    ps axo pid,comm
    ps ax -o pid,comm
    ps -A
    ps -u root
    ps -C node
    ps -aux
    ps -fp 123
    ps --ppid 1
    ps -ejH
    ps -eLf
    ps fax
    ps axjf
    ps --no-headers -o rss -p 123
    ps -e --no-headers
    top -l 1
    pgrep node
    pgrep -fl node
    pgrep -a node
    pidof node
    lsof -nP -iTCP:3000 -sTCP:LISTEN
    lsof -n -P -i :3000
    kill -0 123
    kill -l
    ss -tlnp
    ss -tuln
    ss -s
    ss -tlnp 'sport = :3000'
    netstat -tlnp
    netstat -tuln
    netstat -an
    ip a
    ip addr
    ip -br addr
    ip addr show dev eth0
    ip route
    ip link show
    ip -4 addr show
    ifconfig
    ifconfig eth0
    ifconfig -a
    lscpu
    lsblk
    lsblk -f
    lsblk -o NAME,SIZE
    vmstat
    vmstat 1 3
    mount
    locale
    locale -a
    getconf LONG_BIT
    getconf _NPROCESSORS_ONLN
    getconf -a
    lsb_release -a
    sw_vers
    sw_vers -productVersion
    sysctl -n hw.ncpu
    sysctl kernel.ostype
    cal
    cal 2024
    cal -3
    printenv HOME
    printenv PATH
    uuidgen
    tput cols
    stty size
    ulimit -n
    ulimit -a
    umask
    umask -S
    times
    help cd
    help
    jobs
    jobs -l
    dirs
    nvidia-smi
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("setting, endless and revealing forms are not", () => {
  const lines = `
    date -s 2001-01-01
    date --set=2001-01-01
    date 01010101
    date --se=2001
    date -f x
    date --file=x
    date -us 2001
    date -s2001
    date -j -f x y z
    date -d 1
    date -fx -u
    date +%F 01010101
    date -t 1
    hostname foo
    hostname -F x
    hostname -f
    hostname -i
    hostname -b x
    arch -x86_64 touch x
    uname x
    who /etc/passwd
    who --lookup
    users /etc/passwd
    ps e
    ps auxe
    ps aux e
    ps eww
    ps axe
    ps -E
    ps -eE
    ps axeww
    ps -o environ
    ps -ef -u x
    ps -u release
    ps -aue
    ps ewwp 123
    ps -p 1 e
    ps axo pid,environ
    ps axo pid e
    ps -eo pid,args e
    ps --foo
    ps -o pid -e e
    ps aux$x
    top
    top -b
    top -n 1
    top -d 1 -b -n 5
    top -b -n1
    top -b -n 1
    pgrep -F x
    kill 123
    kill -9 123
    kill -0 -9
    lsof
    lsof -i :3000
    lsof -i @host -n
    lsof -r -n
    ss -K dst 1.2.3.4
    ss -D x
    ss -tK
    ss -r
    ss -E
    ss -F x
    ss -tln dst example.com
    netstat
    netstat -tlp
    netstat -c -n
    ip link set eth0 down
    ip addr add 1.2.3.4 dev eth0
    ip -b x
    ip netns exec x y
    ip route add default via 1.2.3.4
    ip addr flush dev eth0
    ip l s eth0 down
    ifconfig eth0 down
    ifconfig eth0 1.2.3.4
    getconf -v ../../x y
    sysctl -w a.b=1
    sysctl a.b=1
    sysctl -p x
    sysctl --system
    printenv
    printenv AWS_SECRET_ACCESS_KEY
    printenv HOME ANTHROPIC_API_KEY
    printenv $x
    umask 000
    umask u=rwx
    ulimit -n 100
    jobs -x touch y
    dirs -c
    stty raw
    tput reset
    mount /dev/x /y
    nvidia-smi -r
    vmstat 1
    free -s 1
    xcode-select --install
    arch -arm64 sh
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("the files they read", () => {
  const { found, expected } = summaries(
    TABLE,
    `
    date -r a -> read n:a
    date --reference=a +%s -> read n:a
    ps -p "$x" -> read
    ps "$x" -> unknown
    kill -0 "$x" -> read
    kill -0 "$x" 1 -> unknown
    `,
  );
  expect(found).toEqual(expected);
});
