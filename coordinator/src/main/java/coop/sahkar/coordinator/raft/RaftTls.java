package coop.sahkar.coordinator.raft;

import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;

/** Encrypts the log's links: only coordinators of the co-operative speak there. */
final class RaftTls {
    private RaftTls() {}

    static Parameters parameters(Transport transport) {
        Parameters parameters = new Parameters();
        transport.tls().ifPresent(tls -> encrypt(parameters, tls));
        return parameters;
    }

    private static void encrypt(Parameters parameters, NodeTls tls) {
        GrpcTlsConfig both =
                new GrpcTlsConfig(tls.keyManager(), tls.trust(PeerRule.COORDINATOR), true);
        GrpcConfigKeys.TLS.setConf(parameters, both);
        GrpcConfigKeys.Server.setTlsConf(parameters, both);
        GrpcConfigKeys.Client.setTlsConf(parameters, both);
        GrpcConfigKeys.Admin.setTlsConf(parameters, both);
    }
}
