"""Windows' own programs, as a shell of WSL or Git reaches them. Sources: Microsoft's Windows Commands and LOLBAS.

What they do to Windows cannot be told by paths of this host, so what changes it is a ``deploy``; what fetches or loads
code is unread.
"""

from __future__ import annotations

from outrider.effects.commands.spec import spec


def _both(names: str) -> str:
    return " ".join(f"{name} {name}.exe" for name in names.split())


TABLE = (
    spec(_both("schtasks reg sc net net1 wmic vssadmin wbadmin bcdedit reagentc fsutil wevtutil fltmc netsh auditpol "
               "takeown icacls cacls taskkill dism manage-bde diskpart diskshadow cipher bootcfg powercfg sdelete "
               "nltest dsquery dsadd dsmod dsrm netdom ntdsutil secedit gpupdate mountvol logman setx "
               "sdbinst pnputil wusa msconfig esentutl makecab"), style="none", special="windows-change"),
    spec(_both("mshta rundll32 regsvr32 cscript wscript msiexec installutil regasm regsvcs odbcconf cmstp certutil "
               "bitsadmin forfiles pcalua presentationhost ieexec xwizard msxsl infdefaultinstall verclsid "
               "desktopimgdownldr syncappvpublishserver conhost winrs winrm psexec psexec64 procdump mimikatz "
               "eventvwr fodhelper computerdefaults appvlp tttracer wab sqldumper"),
         style="none", special="windows-loader"),
    spec("powershell.exe pwsh.exe cmd.exe powershell_ise powershell_ise.exe", style="none", special="foreign-shell"),
    spec("control.exe hh.exe te.exe", style="none", special="windows-loader"),
    spec(_both("tasklist systeminfo ipconfig findstr qwinsta driverquery getmac nbtstat")
         + " whoami.exe where.exe clip.exe wslpath ver", "text*"),
)  # fmt: skip
