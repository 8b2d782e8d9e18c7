package coop.sahkar.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoordinatorAddressTest {

    @ParameterizedTest
    @CsvSource({
        "http://pool.example:80, pool.example:80",
        "http://pool.example/, pool.example:7311",
        "127.0.0.1:9, 127.0.0.1:9",
        "localhost, localhost:7311",
        "[::1]:7311, [::1]:7311",
        "' pool.example:1 ', pool.example:1"
    })
    void reads(String text, String address) {
        assertThat(CoordinatorAddress.parse(text)).hasToString(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "a b", "host:0", "host:99999", "ftp://host", "http://host/path", ":1"})
    void refusesInASentence(String text) {
        assertThatThrownBy(() -> CoordinatorAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("write host:port");
    }

    @Test
    void saysHowAConnectionIsEncrypted() {
        assertThatThrownBy(() -> CoordinatorAddress.parse("https://pool.example"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("write host:port")
                .hasMessageContaining("ca.pem");
    }
}
