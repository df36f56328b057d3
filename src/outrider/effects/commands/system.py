"""The system: processes, services, users, network set-up. Sources: the programs' manual pages."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

TABLE = (
    spec("ps top htop pgrep pidof pstree lsof fuser uptime free vmstat iostat mpstat nmon w who whoami id groups "
         "logname users lastlog uname arch hostname hostnamectl lsb_release lscpu lsblk lsusb lspci lsmod "
         "blkid findmnt netstat ifconfig route iw iwconfig ethtool nmcli locale tty stty "
         "clear reset sleep usleep info apropos tldr fortune figlet lsns loginctl "
         "timedatectl localectl getent sw_vers system_profiler vm_stat acpi sensors nvidia-smi pmap cd-drive wait4x "
         "uuidgen getopt write say notify-send inxi glances btop resolvectl networkctl runlevel "
         "clinfo glxinfo vulkaninfo xrandr xset xdpyinfo tabs mesg sha1 tzselect nslookup6 dconf-read lsinitramfs",
         "text*", special="host-info"),
    spec("ip", "text*", "-batch,-b=read -n,-netns=text", style="long", special="ip"),
    spec("ss", "text*", "-F,--filter=read -D,--diag=write -f,-A,-N=text"),
    spec("arp", "text*", "-f,--file=read -i,-H,-t=text"),
    spec("last", "text*", "-f,--file=read -n,-t,-s,-p=text"),
    spec("finger", "text*", special="addresses"),
    spec("dmidecode", "text*", "--dump-bin=write --from-dump,-d=read -s,-t,-H=text"),
    spec("sysctl", "text*", "", special="sysctl"),
    spec("wall", "path-if*", "-g,-t,--group,--timeout=text"),
    spec("neofetch fastfetch", "text*", "--ascii,--source,--logo,-l=path-if --config,-c=path-script"),
    spec("logger", "text*", "-n,--server=host -f,--file=read "
         "-p,-t,-P,--port,--tag,--priority,-u,--id=text", flags="upload"),
    spec("sar sadf", "text*", "-f=read -o=write -s,-e,-i,-P,-n,-r,-u,-b,-q=text"),
    spec("man", "path-if*", "-P,--pager=shell -H,--html=shell -C,-M,-S,-s,-k,-f,-L,-m,-e,-R,-r,-E,-p=text"),
    spec("printenv", "text*", special="printenv"),
    spec("dmesg", "text*", "-F,--file,-K=read -n,-l,-f,-s=text"),
    spec("journalctl", "text*", "-u,-n,-S,-U,-p,-o,-t,-g,--since,--until,--unit=text "
         "--vacuum-time,--vacuum-size,--vacuum-files=journal --file,-D,--directory=read"),
    spec("systemctl service rc-service initctl supervisorctl launchctl update-rc.d chkconfig rc-update",
         "text*", "-n,-t,-p,-o,-H,-M,--type,--state=text", special="service"),
    spec("shutdown reboot poweroff halt init telinit", "text*", special="host-change"),
    spec("useradd userdel usermod adduser deluser addgroup delgroup groupadd groupdel groupmod passwd chpasswd gpasswd "
         "chage vipw visudo "
         "chsh chfn newusers", "text*", "-c,-d,-e,-f,-g,-G,-p,-s,-u,-b,-k,-l,-m=text", special="accounts"),
    spec("iptables ip6tables nft ufw firewall-cmd iptables-save iptables-restore ipset tc brctl modprobe insmod "
         "rmmod depmod setenforce aa-disable apparmor_parser auditctl swapon swapoff losetup cryptsetup lvcreate "
         "lvremove vgremove pvremove vgcreate pvcreate mdadm zfs zpool btrfs hdparm smartctl setcap getcap "
         "update-alternatives ldconfig update-grub grub-install efibootmgr fsck e2fsck tune2fs resize2fs quotaon "
         "wg-quick wg authselect semanage setsebool kexec rfkill pfctl sysrc pw", style="none", special="host-change"),
    spec("docker podman nerdctl", style="posix", options="-H,--host,-c,--context,-l,--log-level=text --config=read",
         special="docker"),
    spec("docker-compose podman-compose", style="none", special="docker-compose"),
    spec("kubectl oc k k9s kustomize helm helmfile istioctl argocd flux minikube kind k3s k3d kubeadm", "text*",
         special="kubectl"),
    spec("aws gcloud az doctl heroku vercel netlify fly flyctl wrangler firebase railway supabase ibmcloud oci "
        "linode-cli "
         "hcloud gsutil-cloud eksctl sam cdk serverless sls amplify eb databricks snowsql bq",
         "text*", special="cloud"),
    spec("circleci restic borg nats rabbitmqadmin rabbitmqctl kafka-topics kafka-configs "
         "kafka-delete-records kafka-acls kafka-consumer-groups kafka-topics.sh kafka-delete-records.sh kafka-acls.sh "
         "kafka-consumer-groups.sh kafka-configs.sh etcdctl redis-cli-admin pulsar-admin stripe twilio "
         "cf doppler infisical algolia ngrok-api temporal buildkite-agent travis jenkins-cli", style="none",
         special="console"),
    spec("terraform tofu terragrunt pulumi packer vagrant ansible ansible-playbook ansible-galaxy ansible-vault salt "
         "puppet chef chef-client nomad consul boundary", "text*", "-var-file=read -out=write -chdir=chdir "
         "--terragrunt-tfpath,--tf-path=escape",
         style="long", special="infrastructure"),
    spec("vault bao", style="none", special="vault"),
    spec("xdg-open open sensible-browser x-www-browser firefox google-chrome chromium chrome brave", "page*",
         opaque="opens a program of the desktop"),
    spec("pbcopy xclip xsel wl-copy", "text*", "-selection,-sel,-t=text"),
    spec("pbpaste wl-paste", "text*", out="file"),
    spec("security keyring secret-tool pass op bw lpass gopass", "text*", special="credentials"),
    spec("gnome-terminal xterm konsole alacritty", "text*", "-e=shell", opaque="opens a terminal"),
    spec("kitty foot wezterm", "program", "-o,--override,-T,--title,-d,--directory,--class,-c,--config=text "
         "--detach,-1,--single-instance,--hold=:keep", style="posix", opaque="opens a terminal"),
    spec("sops", "text*", "-d,--decrypt=:decode", special="sops"),
    spec("duplicity kopia rdiff-backup bup attic duplicacy", "text*", special="backup"),
    spec("code-server cursor windsurf", "text*", opaque="opens an editor"),
    spec("ansible-lint tflint checkov kubeval actionlint act", "text*"),
    spec("claude codex opencode gemini qwen copilot cline aider goose cursor-agent amp crush droid kilocode auggie",
         style="none", special="agent"),
)  # fmt: skip
