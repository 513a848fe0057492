#!/bin/sh
# Makes first-call.pcap: SIPp calls SIPp on loopback, tshark records. Wants both installed and the right to capture on lo.
set -eu
cd "$(dirname "$0")"
host=127.0.0.1

tshark -q -i lo -F pcap -w first-call.pcap -a duration:20 \
    -f 'udp portrange 5570-5571 or udp portrange 17000-17013' 2>recording.log &
recorder=$!
until grep -q 'Capturing on' recording.log; do
    kill -0 "$recorder" || { cat recording.log; exit 1; }
    sleep 0.1
done
sleep 1 # tshark says so a moment before its first packet

sipp -sf answerer.xml -i $host -p 5570 -mi $host -mp 17000 -rtp_echo -m 1 -nostdin >/dev/null 2>&1 &
answerer=$!
timeout 30 sipp -sf caller.xml $host:5570 -i $host -p 5571 -mi $host -mp 17010 -s echo -cid_str first-call-%u@%s -m 1 -nostdin >/dev/null
wait "$answerer"
sleep 1
kill -INT "$recorder"
wait "$recorder" || true
rm -f recording.log
tshark -r first-call.pcap -d udp.port==5570,sip -Y sip -T fields -e frame.time_relative -e _ws.col.Info
tshark -r first-call.pcap -d udp.port==17000,rtp -q -z rtp,streams
