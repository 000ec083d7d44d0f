"""The demonstration: three sagas against three small services that really hold state."""
