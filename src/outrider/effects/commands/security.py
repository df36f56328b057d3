"""Programs that watch, break in, mine or pretend; and those that look after a host's defences.

What they take is named by the device that they take it from, even where no file stands for it: the screen is
``/dev/fb0``, the keyboard ``/dev/input``, the microphone ``/dev/snd``, the camera ``/dev/video0``, the traffic
``/dev/bpf``. Sources: the programs' manuals.
"""

from __future__ import annotations

from outrider.effects.commands.spec import spec

TABLE = (
    spec("xwd grim spectacle flameshot screencapture ksnip shutter xfce4-screenshooter "
         "grimshot wf-recorder recordmydesktop simplescreenrecorder vokoscreen byzanz-record peek kazam import",
         "write*", "-out,-o,--output,-f,--file=write -d,--delay,-window,-quality,-a,-g,-s=text",
         special="watch-screen"),
    spec("logkeys showkey evtest xinput xspy lkl keylogger libinput xev input-events", "text*", "-o,--output=write",
         special="watch-keys"),
    spec("arecord parecord parec rec pw-record", "write*", "-f,-d,-r,-c,-D,-t,--device=text", special="watch-sound"),
    spec("fswebcam streamer guvcview motion", "write*", "-d,-r,-o=text", special="watch-camera"),
    spec("ettercap bettercap ngrep dsniff tcpflow ssldump arpspoof dnsspoof responder "
         "snoop tcpick netsniff-ng hcxdumptool airodump-ng airmon-ng kismet sslstrip",
         "text*", "-w,-O=write -i,-c,-s,-n,-Y,-f,-B,-C,-G,-W,-Z,-T,-e=text -r=read", special="watch-traffic"),
    spec("xmrig xmrig-notls xmr-stak minerd cpuminer cpuminer-multi cgminer bfgminer ethminer t-rex nbminer lolminer "
         "ccminer phoenixminer gminer teamredminer claymore srbminer-multi xmr-stak-cpu nanominer kryptex",
         style="none", special="attack"),
    spec("mimipenguin mimipenguin.sh lazagne pypykatz impacket-secretsdump secretsdump.py psexec.py wmiexec.py "
         "smbexec.py atexec.py dcomexec.py ticketer.py getTGT.py GetUserSPNs.py GetNPUsers.py ntlmrelayx.py "
         "lookupsid.py samrdump.py reg.py rpcdump.py mssqlclient.py dpapi.py goldenPac.py crackmapexec "
         "cme netexec nxc evil-winrm bloodhound-python kerbrute rubeus hydra medusa ncrack patator unshadow "
         "rsmangler sqlmap crunch cewl "
         "msfvenom msfdb armitage setoolkit beef-xss empire sliver sliver-client sliver-server "
         "covenant havoc stratus linpeas linpeas.sh LinEnum.sh lse.sh linux-exploit-suggester.sh les.sh pspy64 pspy32 "
         "unix-privesc-check linux-smart-enumeration ldapdomaindump adidnsdump enum4linux enum4linux-ng smbmap "
         "windapsearch gobuster ffuf dirb dirbuster feroxbuster wfuzz wpscan aircrack-ng aireplay-ng reaver wifite "
         "slowloris hping goldeneye thc-ssl-dos ddosify torshammer weevely commix xsser dnscat2 dnscat iodine "
         "iodined ptunnel icmpsh chisel-server ligolo ligolo-ng pwncat pwncat-cs rustscan theharvester recon-ng "
         "spiderfoot AutoSUID.sh pspy 3snake swapdigger memdump avml lime-dump",
         style="none", special="attack"),
    spec("ldapsearch ldapadd ldapmodify ldapdelete ldapcompare ldapwhoami ldappasswd ldapmodrdn", "text*",
         "-H,-h=host -f=read -D,-w,-b,-s,-a,-z,-l,-p,-Y,-U,-R,-X,-o,-O=text -y=read", special="directory"),
    spec("rpcclient smbget smbcacls nmblookup nbtscan showmount snmpwalk snmpget snmpset onesixtyone rpcinfo "
         "rusers rwho xfreerdp rdesktop vncviewer x11vnc", "host text*",
         "-U,-c,-N,-L,-W,-v,-p,-I,-A,-O=text -e=text", special="directory"),
    spec("ccencrypt ccrypt mcrypt bcrypt aescrypt", "read*", "-K,-k,-E,-o,-r,-p,-R,-i=text", special="ciphers"),
    spec("groupmems sysadminctl dscl dseditgroup faillock pam_tally2 realm adcli kadmin "
         "kadmin.local ktutil", "text*", special="accounts"),
    spec("diskutil "
         "spctl csrutil systemsetup kextload kextunload tmutil nvram fdesetup profiles socketfilterfw semodule "
         "aa-teardown aa-complain aa-remove-unknown augenrules auditd falconctl "
         "mdatp savdctl wazuh-control ossec-control osqueryctl snort suricatasc "
         "bpftool systemtap", style="none", special="host-change"),
    spec("update-ca-certificates update-ca-trust certctl trust c_rehash mkcert", style="none", special="trust"),
    spec("chflags setfattr", "text write*", "-n,-v,-x=text -R=:recursive"),
    spec("devtunnel pinggy sish pagekite serveo expose zrok netbird headscale inlets "
         "localxpose upterm sshuttle gost frps rathole wstunnel stunnel pwnat teleconsole", "text*",
         flags="upload", special="tunnel"),
    spec("anacron fcron fcrontab incrontab", "text*", special="crontab"),
)  # fmt: skip

ATTACKS = frozenset(name for entry in TABLE if entry.special == "attack" for name in entry.names)
"""Programs and scripts made to break in, to guess passwords, to mine."""
