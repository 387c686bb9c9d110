; Inno Setup 6 script for Windows. NOT RUN YET: it was written beside the Linux builds and compiled nowhere.
; iscc /DVersion=0.1.0 /DFolder=..\..\build\installers\dist\assay assay.iss
; Silent: assay-workbench-VERSION-windows.exe /VERYSILENT /SUPPRESSMSGBOXES /NORESTART /ALLUSERS (or /CURRENTUSER) /DIR="C:\Programs\Assay" /LOG=FILE
#ifndef Version
  #define Version "0.1.0"
#endif
#ifndef Folder
  #define Folder "..\..\build\installers\dist\assay"
#endif

[Setup]
AppId={{6E0B4C6A-5C57-4B7B-9E4C-0F7A6C1B7E21}
AppName=Assay
AppVersion={#Version}
AppPublisher=The Assay project
DefaultDirName={autopf}\Assay
DefaultGroupName=Assay
LicenseFile={#Folder}\LICENSE
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog commandline
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.19045
OutputBaseFilename=assay-workbench-{#Version}-windows
Compression=lzma2/normal
SolidCompression=yes
ChangesAssociations=yes
ChangesEnvironment=yes
UninstallDisplayIcon={app}\assay-window.exe
WizardStyle=modern

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion

[Icons]
Name: "{group}\Assay"; Filename: "{app}\assay-window.exe"; Parameters: "app"

[Registry]
Root: HKA; Subkey: "Software\Classes\.pack\OpenWithProgids"; ValueType: string; ValueName: "Assay.Pack"; ValueData: ""; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\Assay.Pack"; ValueType: string; ValueData: "Assay evidence pack"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Assay.Pack\shell\open\command"; ValueType: string; ValueData: """{app}\assay-window.exe"" app ""%1"""
Root: HKA; Subkey: "Software\Classes\Directory\shell\Assay.Vault"; ValueType: string; ValueData: "Open as Assay vault"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\Assay.Vault"; ValueType: string; ValueName: "AppliesTo"; ValueData: "System.FileName:""*.assay"""
Root: HKA; Subkey: "Software\Classes\Directory\shell\Assay.Vault\command"; ValueType: string; ValueData: """{app}\assay-window.exe"" app ""%1"""

[Messages]
ConfirmUninstall=Remove %1? Vaults (folders that end in .assay) and settings stay where they are.
