"""What an install command or a manifest adds: is each name what its writer believes it to be?"""
