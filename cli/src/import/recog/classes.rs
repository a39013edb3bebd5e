//! What Recog calls kinds of devices, in the classes of the vocabulary.
//!
//! A kind that is not here becomes a class of the importer's own.

/// The class of a kind; kinds compare by their letters and digits. Absent for a kind that no class stands for.
pub fn of_kind(kind: &str) -> Option<&'static str> {
    let wanted = ksig_schema::vocabulary::plain(kind);
    let found = CLASSES.iter().find(|(_, kinds)| kinds.iter().any(|kind| ksig_schema::vocabulary::plain(kind) == wanted));
    found.map(|(class, _)| *class)
}

const CLASSES: &[(&str, &[&str])] = &[
    ("appliance", &["Appliance", "Device", "management", "Monitoring", "Support Appliance", "Whiteboard"]),
    ("building", &["Building Automation", "Building/Energy"]),
    (
        "building.access",
        &[
            "Access Control",
            "Alarm Panel",
            "Intelligent Dual Reader Controller",
            "Intelligent Single Door Controller",
            "Intelligent System Controller",
        ],
    ),
    ("camera", &["camera", "IP Camera", "Web Cam"]),
    ("camera.encoder", &["Display Controller", "encoder", "Video Decoder", "Video Encoder"]),
    ("computer", &["Desktop", "Laptop", "Mobile", "Mobile Phone", "Tablet", "Thin Client", "workstation"]),
    ("conference", &["collaboration", "Conference", "Video Conferencing", "ViewStation"]),
    ("energy", &["Energy Monitor", "Power Meter"]),
    ("environment", &["environment", "Environment Control", "environmental", "Sensor"]),
    ("firewall", &["Firewall", "IDS", "IPS", "NAC", "Security Appliance"]),
    ("home", &["Light Bulb", "Smart Home"]),
    ("industrial", &["Industrial Control", "Relay Controller"]),
    ("industrial.gateway", &["Data Logger", "Data Terminal", "Device Server", "Ethernet Adapter", "M2M Gateway"]),
    ("industrial.hmi", &["HMI", "HMI Controller"]),
    ("industrial.plc", &["PLC"]),
    ("instrument", &["Test Instrument"]),
    ("management", &["KVM", "Lights Out Management", "Management Processor", "Onboard Administrator", "Remote Terminal"]),
    ("media.player", &["Audio", "Audio Encoder", "AV Receiver", "Media Player", "Media Receiver", "Media Server", "Network Audio"]),
    ("media.tv", &["IPTV", "Smart TV", "TV"]),
    ("medical", &["Medical"]),
    ("network", &["Hub", "Network", "Network Appliance", "Network Management Device", "proxy", "Telecom", "WAN Accelerator", "Web Proxy"]),
    ("network.load_balancer", &["Load Balancer"]),
    ("network.remote_access", &["Remote Access Server", "VPN"]),
    ("network.timing", &["timing"]),
    ("network.wireless_controller", &["Wireless Controller"]),
    ("phone", &["SIP Device", "Voice Appliance", "VoIP"]),
    ("phone.gateway", &["Media Gateway", "SIP Gateway", "VoIP Gateway", "VoIP Server"]),
    ("phone.pbx", &["PBX"]),
    ("pos", &["Point of Sale"]),
    ("power", &["power", "Power Device", "UPS"]),
    ("printer", &["Printer"]),
    ("printer.label", &["Label Printer"]),
    ("printer.multifunction", &["Copier", "Multifunction Device"]),
    ("printer.server", &["Print Server", "USB Server"]),
    ("recorder", &["Cloud Network Video Recorder", "DVR", "Network Recorder", "NVR", "Recorder"]),
    ("router", &["Router"]),
    ("router.access_point", &["Access Point", "WAP", "wireless"]),
    ("router.business", &["AR2200", "SD-WAN Appliance", "VPN Router"]),
    ("router.home", &["ADSL Router", "Broadband Router", "Powerline", "Wi-Fi Extender", "WLAN Repeater"]),
    ("router.home.gateway", &["Home Gateway"]),
    ("router.mobile", &["LTE Router", "Mobile Router"]),
    (
        "router.modem",
        &["ADSL Modem", "ATM DSL Unit", "Cable Modem", "DOCSIS Cable Modem", "DSL Modem", "DSLAM", "DSU/CSU", "Frame Relay", "Multiplexer"],
    ),
    ("scanner", &["Check Scanner", "Handheld Scanner", "Network Scanner", "Scanner"]),
    ("server", &["Hypervisor", "server"]),
    ("storage", &["Storage", "Storage Appliance", "Tape Library"]),
    ("storage.nas", &["NAS"]),
    ("switch", &["Switch", "VoIP Switch"]),
];
