"""What mixing does to what is learned: information that representations learned with and without it share."""

from core.information.shared_information import Shared, SharedInformation

INFORMATION = [SharedInformation]

__all__ = ["INFORMATION", "Shared", "SharedInformation"]
