; Inno Setup: installs the folder that PyInstaller builds, with a menu entry and the file type .stgs.
;   iscc /DVersion=1.0.0 packaging\windows\installer.iss
#ifndef Version
  #error "Name the version: iscc /DVersion=1.0.0 installer.iss"
#endif

[Setup]
AppId={{C6C2D50A-A1ED-47ED-8031-16C5011AF398}
AppName=StreamSTGS Player
AppVersion={#Version}
AppPublisher=The StreamSTGS maintainers
DefaultDirName={autopf}\StreamSTGS Player
DefaultGroupName=StreamSTGS Player
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
LicenseFile=..\..\LICENSE
OutputDir=..\..\dist
OutputBaseFilename=streamstgs-player-{#Version}-windows-x64
UninstallDisplayIcon={app}\streamstgs-player.exe
WizardStyle=modern

[Files]
Source: "..\..\dist\streamstgs-player\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion
Source: "..\..\LICENSES\*.txt"; DestDir: "{app}\licenses"

[Icons]
Name: "{group}\StreamSTGS Player"; Filename: "{app}\streamstgs-player.exe"

[Registry]
Root: HKA; Subkey: "Software\Classes\.stgs\OpenWithProgids"; ValueType: string; ValueName: "StreamSTGS.Scene"; ValueData: ""; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\StreamSTGS.Scene"; ValueType: string; ValueData: "StreamSTGS scene"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\StreamSTGS.Scene\DefaultIcon"; ValueType: string; ValueData: "{app}\streamstgs-player.exe,0"
Root: HKA; Subkey: "Software\Classes\StreamSTGS.Scene\shell\open\command"; ValueType: string; ValueData: """{app}\streamstgs-player.exe"" ""%1"""

[Run]
Filename: "{app}\streamstgs-player.exe"; Description: "Start the player"; Flags: nowait postinstall skipifsilent
