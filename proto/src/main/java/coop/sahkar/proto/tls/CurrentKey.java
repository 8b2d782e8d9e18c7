package coop.sahkar.proto.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Shows the newest credentials in every handshake. Those that a handshake began with stay its own:
 * its alias is the certificate's serial number.
 */
final class CurrentKey extends X509ExtendedKeyManager {
    private static final String KEY_TYPE = "EC";

    private final Supplier<Credentials> newest;
    private volatile @Nullable Credentials before;
    private volatile Credentials last;

    CurrentKey(Supplier<Credentials> newest) {
        this.newest = newest;
        this.last = newest.get();
    }

    private String alias() {
        Credentials now = newest.get();
        Credentials was = last;
        if (!alias(now).equals(alias(was))) {
            before = was;
            last = now;
        }
        return alias(now);
    }

    private static String alias(Credentials credentials) {
        return credentials.certificate().getSerialNumber().toString(16);
    }

    private Credentials of(String alias) {
        Credentials older = before;
        return older != null && alias(older).equals(alias) ? older : last;
    }

    private @Nullable String chosen(String[] types) {
        for (String type : types) {
            if (type.startsWith(KEY_TYPE)) {
                return alias();
            }
        }
        return null;
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
        return new String[] {alias()};
    }

    @Override
    public @Nullable String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
        return chosen(types);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] types, Principal[] issuers, SSLEngine engine) {
        return chosen(types);
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
        return new String[] {alias()};
    }

    @Override
    public @Nullable String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
        return chosen(new String[] {type});
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String type, Principal[] issuers, SSLEngine engine) {
        return chosen(new String[] {type});
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        Credentials shown = of(alias);
        return new X509Certificate[] {shown.certificate(), shown.authority()};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return of(alias).key();
    }
}
