"""Services by name and number, as IANA registers them (RFC 6335), with the older names that programs ask for."""

from __future__ import annotations

# port, transports, name, other names
_TABLE = """
1 tcp tcpmux
7 tcp,udp echo
9 tcp,udp discard sink null
11 tcp,udp systat users
13 tcp,udp daytime
15 tcp netstat
17 tcp,udp qotd quote
19 tcp,udp chargen ttytst source
20 tcp ftp-data
21 tcp ftp
22 tcp ssh
23 tcp telnet
25 tcp smtp mail
37 tcp,udp time timserver
43 tcp nicname whois
49 tcp,udp tacacs
53 tcp,udp domain
67 udp bootps
68 udp bootpc
69 udp tftp
70 tcp gopher
79 tcp finger
80 tcp,udp http www www-http
88 tcp,udp kerberos kerberos5 krb5 kerberos-sec
102 tcp iso-tsap tsap
104 tcp acr-nema dicom
109 tcp pop2
110 tcp pop3 pop-3
111 tcp,udp sunrpc portmapper
113 tcp ident auth authentication tap
119 tcp nntp readnews untp
123 udp ntp
135 tcp,udp epmap loc-srv
137 udp netbios-ns
138 udp netbios-dgm
139 tcp netbios-ssn
143 tcp imap imap2
161 tcp,udp snmp
162 tcp,udp snmptrap snmp-trap
177 tcp,udp xdmcp
179 tcp bgp
194 tcp irc
201 tcp,udp at-rtmp
209 tcp qmtp
210 tcp z39.50 z3950 wais
319 udp ptp-event
320 udp ptp-general
389 tcp,udp ldap
427 tcp,udp svrloc
443 tcp,udp https
444 tcp snpp
445 tcp microsoft-ds
464 tcp,udp kpasswd
465 tcp submissions smtps ssmtp urd
500 udp isakmp
502 tcp,udp mbap
512 tcp exec
512 udp biff comsat
513 tcp login
513 udp who whod
514 tcp shell cmd
514 udp syslog
515 tcp printer spooler
517 udp talk
518 udp ntalk
520 udp router route routed
521 udp ripng
530 tcp courier rpc
540 tcp uucp uucpd
543 tcp klogin
544 tcp kshell krcmd
546 udp dhcpv6-client
547 udp dhcpv6-server
548 tcp afpovertcp
554 tcp,udp rtsp
563 tcp nntps snntp
587 tcp submission
623 udp asf-rmcp
631 tcp,udp ipp
636 tcp ldaps
639 tcp msdp
646 tcp,udp ldp
698 udp olsr
749 tcp,udp kerberos-adm
853 tcp,udp domain-s
860 tcp iscsi
873 tcp rsync
989 tcp ftps-data
990 tcp ftps
992 tcp telnets
993 tcp imaps
995 tcp pop3s
1080 tcp socks
1099 tcp rmiregistry
1194 tcp,udp openvpn
1293 udp pkt-krb-ipsec
1352 tcp lotusnote lotusnotes
1433 tcp ms-sql-s
1434 udp ms-sql-m
1521 tcp ncube-lm oracle
1645 udp datametrics old-radius
1646 udp sa-msg-port old-radacct
1701 udp l2tp l2f
1720 tcp h323hostcall
1723 tcp pptp
1812 tcp,udp radius
1813 tcp,udp radius-acct radacct
1883 tcp mqtt
1900 udp ssdp
1935 tcp macromedia-fcs rtmp
2000 tcp cisco-sccp
2049 tcp,udp nfs
2181 tcp eforward zookeeper
2222 tcp,udp ethernet-ip-1
2401 tcp cvspserver
2427 udp mgcp-gateway
2601 tcp zebra
2628 tcp dict
3128 tcp ndl-aas squid
3205 tcp,udp isns
3260 tcp iscsi-target
3268 tcp msft-gc
3306 tcp mysql
3389 tcp,udp ms-wbt-server
3478 tcp,udp stun turn
3493 tcp,udp nut
3689 tcp daap
3690 tcp svn subversion
3702 udp ws-discovery
3784 udp bfd-control
4190 tcp sieve
4369 tcp epmd
4433 tcp vop
4460 tcp ntske
4500 udp ipsec-nat-t
4569 udp iax
4739 tcp,udp ipfix
4789 udp vxlan
5000 tcp commplex-main
5004 udp avt-profile-1
5005 udp avt-profile-2
5060 tcp,udp sip
5061 tcp,udp sips sip-tls
5201 tcp,udp targus-getdata iperf3
5222 tcp xmpp-client jabber-client
5269 tcp xmpp-server jabber-server
5349 tcp,udp stuns turns
5353 udp mdns
5355 tcp,udp llmnr
5432 tcp postgresql postgres
5671 tcp amqps
5672 tcp amqp
5683 tcp,udp coap
5684 tcp,udp coaps
5900 tcp rfb vnc
5938 tcp,udp teamviewer
5984 tcp couchdb
6000 tcp x11 x11-0
6081 udp geneve
6343 udp sflow
6379 tcp redis
6513 tcp netconf-tls
6514 tcp,udp syslog-tls
6653 tcp openflow
6667 tcp ircu ircd
6696 udp babel
6697 tcp ircs-u
7000 tcp,udp afs3-fileserver
8008 tcp http-alt-8008
8080 tcp http-alt webcache
8443 tcp pcsync-https
8883 tcp secure-mqtt
9000 tcp cslistener
9092 tcp xmltec-xmlmail kafka
9100 tcp pdl-datastream jetdirect
9418 tcp git
9999 tcp distinct
10050 tcp zabbix-agent
10051 tcp zabbix-trapper
11211 tcp,udp memcache
11371 tcp hkp
20000 tcp,udp dnp
27017 tcp mongodb
44818 tcp,udp ethernet-ip-2
47808 udp bacnet
"""

_BY_NAME: dict[tuple[str, str], int] = {}
_BY_PORT: dict[tuple[int, str], str] = {}
_TRANSPORTS = ("tcp", "udp")

for _line in _TABLE.split("\n"):
    if _line:
        _port, _transports, *_names = _line.split()
        for _transport in _transports.split(","):
            _BY_PORT.setdefault((int(_port), _transport), _names[0])
            for _name in _names:
                _BY_NAME.setdefault((_name, _transport), int(_port))


def port_of(name: str, transport: str) -> int | None:
    """The port of the service over `transport` ("tcp" or "udp"), or None."""
    return _BY_NAME.get((name, transport))


def name_of(port: int, transport: str) -> str | None:
    """The service's registered name, or None."""
    return _BY_PORT.get((port, transport))


def getservbyname(name: str, protocol: str | None = None, /) -> int:
    """As `socket.getservbyname`."""
    for transport in _TRANSPORTS if protocol is None else (protocol,):
        port = port_of(name, transport)
        if port is not None:
            return port
    raise OSError("service/proto not found")


def getservbyport(port: int, protocol: str | None = None, /) -> str:
    """As `socket.getservbyport`."""
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("getservbyport: port must be 0-65535.")
    for transport in _TRANSPORTS if protocol is None else (protocol,):
        name = name_of(port, transport)
        if name is not None:
            return name
    raise OSError("port/proto not found")
